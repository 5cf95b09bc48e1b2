"""What Granite is shown and answers."""

from __future__ import annotations

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

_CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Ulm"}}\n</tool_call>'
_STOP = '<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call>'
_LIST = '<|tool_call|>[{"name": "get_weather", "arguments": {"city": "Ulm"}}, {"name": "stop", "arguments": {}}]'
_READ = ("get_weather", {"city": "Ulm"}, OK)
_DEFAULT = "You are a helpful assistant. Please ensure responses are professional, accurate, and safe."

CASES = [
    Reference(renderer="granite4", template="ibm-granite-granite-4.0.jinja", holds=Holds(later_system=True)),
    Reference(renderer="granite4.1", template="ibm-granite-granite-4.1.jinja", holds=Holds(later_system=True)),
    Shown(
        renderer="granite4",
        case="results",
        conversation=talk(user(), assistant("Look", call(city="Ulm"), call("stop")), result(), result("done", "stop")),
        text=f"<|start_of_role|>system<|end_of_role|>{_DEFAULT}<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>Hi<|end_of_text|>\n"
        f"<|start_of_role|>assistant<|end_of_role|>Look\n{_CALL}\n{_STOP}<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>\n<tool_response>\n"
        "rain\n</tool_response>\n<tool_response>\ndone\n</tool_response><|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>",
    ),
    Shown(
        renderer="granite4.1",
        case="a-beginning",
        conversation=talk(user(), assistant("So")),
        text="<|start_of_role|>user<|end_of_role|>Hi<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>So",
        suffix="So",
    ),
    Shown(
        renderer="granite4.1",
        case="a-system-message",
        conversation=talk(system(), user(), system("Be short")),
        text="<|start_of_role|>system<|end_of_role|>Be kind<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>Hi<|end_of_text|>\n"
        "<|start_of_role|>system<|end_of_role|>Be short<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>",
    ),
    Answered(parser="granite4", text=f"So\n{_CALL}\n{_STOP}", content="So", calls=(_READ, ("stop", {}, OK))),
    Answered(parser="granite4", text=_CALL.partition("lm")[0], calls=(("get_weather", {"city": "U"}, CUT),)),
    Answered(parser="granite4", text="<tool_call>none</tool_call>", content="<tool_call>none</tool_call>"),
    Answered(parser="granite3.3", text="<think>hm</think>\n<response>Sun</response>", thinking="hm", content="Sun"),
    Answered(parser="granite3.3", text="<think>hm</think>Sun <response>", thinking="hm", content="Sun <response>"),
    Answered(parser="granite3.3", text=_LIST, calls=(_READ, ("stop", {}, OK))),
    Answered(parser="granite3.3", text=_LIST.partition("lm")[0], calls=(("get_weather", {"city": "U"}, CUT),)),
    RoundTrip(renderer="granite4", parser="granite4", holds=Holds(thinking=False)),
    RoundTrip(renderer="granite4.1", parser="granite4", holds=Holds(thinking=False)),
    Forced(parser="granite4", accepted=(_CALL, f"{_CALL}\n{_STOP}"), refused=("Hi", _LIST)),
    Forced(parser="granite3.3", accepted=(_LIST,), refused=("Hi", _CALL)),
]
