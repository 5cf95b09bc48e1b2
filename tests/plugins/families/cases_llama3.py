"""What Llama 3 is shown and answers."""

from __future__ import annotations

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

from corral.events import CallStatus

_ULM = '{"name": "get_weather", "parameters": {"city": "Ulm"}}'
_STOP = '{"name": "stop", "parameters": {}}'
_READ = ("get_weather", {"city": "Ulm"}, OK)
_DIFFERS = "the reference drops text next to a call, and refuses a second call in a turn"
_HOLDS = Holds(later_system=True, content_with_calls=False, parallel=False)

CASES = [
    Reference(renderer="llama3.1", template="meta-llama-Llama-3.1-8B-Instruct.jinja", holds=_HOLDS, differs=_DIFFERS),
    Reference(renderer="llama3.3", template="meta-llama-Llama-3.3-70B-Instruct.jinja", holds=_HOLDS, differs=_DIFFERS),
    Reference(renderer="llama3.2", template="meta-llama-Llama-3.2-3B-Instruct.jinja", holds=_HOLDS, differs=_DIFFERS),
    Shown(
        renderer="llama3.3",
        case="a-result",
        conversation=talk(system(" Be kind "), user(), assistant("", call(city="Ulm")), result('say "rain"')),
        text="<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"
        f"Be kind<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        f"<|start_header_id|>assistant<|end_header_id|>\n\n{_ULM}<|eot_id|>"
        '<|start_header_id|>ipython<|end_header_id|>\n\n"say \\"rain\\""<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    ),
    Shown(
        renderer="llama3.1",
        case="a-tool-and-a-beginning",
        conversation=talk(user(), assistant("So"), tools=({"type": "function", "function": {"name": "f"}},)),
        text="<s><|start_header_id|>system<|end_header_id|>\n\nEnvironment: ipython\nCutting Knowledge Date: December 2023\n"
        "Today Date: 26 Jul 2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nGiven the following functions, please "
        "respond with a JSON for a function call with its proper arguments that best answers the given prompt.\n\nRespond in the format "
        '{"name": function name, "parameters": dictionary of argument name and its value}.Do not use variables.\n\n{\n'
        '    "type": "function",\n    "function": {\n        "name": "f"\n    }\n}\n\n'
        "Hi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nSo",
        suffix="So",
    ),
    Answered(parser="llama3.1", text=_ULM, calls=(_READ,)),
    Answered(parser="llama3.2", text=f"\n<|python_tag|>{_ULM}; {_STOP}", calls=(_READ, ("stop", {}, OK))),
    Answered(parser="llama3.3", text=f"I look.\n{_ULM}", content="I look.", calls=(_READ,)),
    Answered(parser="llama3.1", text='{"type": "function", "name": "stop", "parameters": null}', calls=(("stop", {}, OK),)),
    Answered(parser="llama3.1", text='{"name": "Ann", "age": 3}', content='{"name": "Ann", "age": 3}'),
    Answered(parser="llama3.1", text=_ULM.partition("lm")[0], calls=(("get_weather", {"city": "U"}, CUT),)),
    Answered(parser="llama3.1", text=_ULM.replace('"Ulm"', "Ulm"), calls=(("get_weather", {}, CallStatus.MALFORMED),), content="}}"),
    RoundTrip(renderer="llama3.1", parser="llama3.1", holds=Holds(thinking=False), reserved=("<", "\\", "{")),
    Forced(parser="llama3.1", accepted=(_ULM, f"{_STOP}; {_ULM}"), refused=("Hi", '{"name": "other", "parameters": {}}')),
]
