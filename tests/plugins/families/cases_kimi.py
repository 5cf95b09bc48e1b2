"""What Kimi K2 is shown and answers."""

from __future__ import annotations

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

_HEAD = "<|im_system|>system<|im_middle|>You are Kimi, an AI assistant created by Moonshot AI.<|im_end|>"
_READ = ("get_weather", {"city": "Ulm"}, OK)


def _call(name: str, number: int, arguments: str) -> str:
    return f"<|tool_call_begin|>functions.{name}:{number}<|tool_call_argument_begin|>{arguments}<|tool_call_end|>"


def _section(*calls: str) -> str:
    return f"<|tool_calls_section_begin|>{''.join(calls)}<|tool_calls_section_end|>"


_ULM = _call("get_weather", 0, '{"city": "Ulm"}')

CASES = [
    Reference(renderer="kimi-k2", template="Kimi-K2-Instruct.jinja", holds=Holds(later_system=True)),
    Reference(renderer="kimi-k2-thinking", template="Kimi-K2-Thinking.jinja", holds=Holds(later_system=True)),
    Shown(
        renderer="kimi-k2",
        case="results",
        conversation=talk(user(), assistant("Look", call(city="Ulm"), call("stop")), result(), result("done", "")),
        text=f"{_HEAD}\n<|im_user|>user<|im_middle|>Hi<|im_end|><|im_assistant|>assistant<|im_middle|>Look"
        f"{_section(_ULM, _call('stop', 1, '{}'))}"
        "<|im_end|><|im_system|>get_weather<|im_middle|>## Return of functions.get_weather:0\nrain<|im_end|>"
        "<|im_system|>tool<|im_middle|>## Return of functions.stop:1\ndone<|im_end|><|im_assistant|>assistant<|im_middle|>",
    ),
    Shown(
        renderer="kimi-k2-thinking",
        case="thinking-since-the-first-answer",
        conversation=talk(
            system(), user(), assistant("A", thinking="old"), user("B"), assistant("", call(city="Ulm"), thinking="new"), result()
        ),
        text="<|im_system|>system<|im_middle|>Be kind<|im_end|><|im_user|>user<|im_middle|>Hi<|im_end|><|im_assistant|>"
        "assistant<|im_middle|><think></think>A<|im_end|><|im_user|>user<|im_middle|>B<|im_end|><|im_assistant|>assistant<|im_middle|><think>new</think>"
        f"{_section(_ULM)}<|im_end|><|im_system|>get_weather<|im_middle|>## Return of functions.get_weather:0\nrain<|im_end|>"
        "<|im_assistant|>assistant<|im_middle|>",
    ),
    Shown(
        renderer="kimi-k2-thinking",
        case="a-beginning",
        conversation=talk(system(), user(), assistant("So", thinking="hm")),
        text="<|im_system|>system<|im_middle|>Be kind<|im_end|><|im_user|>user<|im_middle|>Hi<|im_end|>"
        "<|im_assistant|>assistant<|im_middle|><think>hm</think>So",
        suffix="<think>hm</think>So",
    ),
    Answered(parser="kimi-k2", text="<think>hm</think>Sun", thinking="hm", content="Sun"),
    Answered(
        parser="kimi-k2",
        text=f"<think>hm</think>So{_section(_ULM, _call('stop', 1, '{}'))}",
        thinking="hm",
        content="So",
        calls=(_READ, ("stop", {}, OK)),
    ),
    Answered(parser="kimi-k2", text=f"<think>hm{_section(_ULM)}", thinking="hm", calls=(_READ,)),
    Answered(parser="kimi-k2", text=_section(_ULM).replace("functions.", "").replace(":0", ""), calls=(_READ,)),
    Answered(parser="kimi-k2", text=_section(_ULM).partition("lm")[0], calls=(("get_weather", {"city": "U"}, CUT),)),
    RoundTrip(renderer="kimi-k2", parser="kimi-k2", holds=Holds(thinking=False)),
    RoundTrip(renderer="kimi-k2-thinking", parser="kimi-k2"),
    Forced(parser="kimi-k2", accepted=(_section(_ULM),), refused=("Hi", _ULM)),
]
