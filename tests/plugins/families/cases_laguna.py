"""What Laguna is shown and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

from corral_laguna.wording import AFTER_TOOLS, BEFORE_TOOLS, HOW_TO_CALL, HOW_TO_THINK_AND_CALL, IDENTITY

if TYPE_CHECKING:
    from corral.conversation import JsonObject

_CALL = "<tool_call>get_weather<arg_key>city</arg_key><arg_value>Ulm</arg_value></tool_call>"
_LINES = "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Ulm</arg_value>\n</tool_call>"
_STOP: JsonObject = {"type": "function", "function": {"name": "stop"}}
_TOOLS = f'{BEFORE_TOOLS}{{"type": "function", "function": {{"name": "stop"}}}}\n{AFTER_TOOLS}'
_ULM = ("get_weather", {"city": "Ulm"}, OK)
_TURNS = (system("Be kind\n"), user(), assistant(" Look", call(city="Ulm"), call("stop"), thinking="hm"), result())

CASES = [
    Reference(renderer="laguna", template="poolside-Laguna-XS.2.jinja", holds=Holds(later_system=True)),
    Reference(renderer="laguna-xs-2.1", template="poolside-Laguna-XS-2.1.jinja", holds=Holds(later_system=True)),
    Reference(renderer="poolside-v1", template="poolside-Laguna-S-2.1.jinja", holds=Holds(later_system=True)),
    Shown(
        renderer="laguna",
        case="a-result",
        conversation=talk(*_TURNS),
        text="〈|EOS|〉<system>\n\nBe kind\n</system>\n<user>\nHi\n</user>\n<assistant>\n<think>\nhm\n</think>\nLook\n"
        f"{_LINES}\n<tool_call>stop\n</tool_call>\n</assistant>\n<tool_response>\nrain\n</tool_response>\n<assistant>\n</think>",
        suffix="</think>",
    ),
    Shown(
        renderer="laguna",
        case="a-tool",
        conversation=talk(user(), tools=(_STOP,), think=True),
        text=f"〈|EOS|〉<system>\n\n{IDENTITY}\n\n{_TOOLS}{HOW_TO_THINK_AND_CALL}\n</system>\n<user>\nHi\n</user>\n<assistant>\n<think>",
        suffix="<think>",
    ),
    Shown(
        renderer="laguna-xs-2.1",
        case="a-tool",
        conversation=talk(user(), tools=(_STOP,)),
        text=f"〈|EOS|〉<system>\n\n\n{_TOOLS}{HOW_TO_CALL}\n</system>\n<user>\nHi\n</user>\n<assistant>\n</think>",
        suffix="</think>",
    ),
    Shown(
        renderer="laguna-xs-2.1",
        case="a-beginning",
        conversation=talk(user(), assistant("So ", thinking="hm")),
        text="〈|EOS|〉<user>\nHi\n</user>\n<assistant>\n<think>\nhm\n</think>\nSo ",
        suffix="<think>\nhm\n</think>\nSo ",
    ),
    Shown(
        renderer="poolside-v1",
        case="a-result",
        conversation=talk(*_TURNS),
        text="〈|EOS|〉<system>Be kind</system>\n<user>Hi</user>\n<assistant><think>hm</think> Look"
        f"{_CALL}<tool_call>stop</tool_call></assistant>\n<tool_response>rain</tool_response>\n<assistant><think>",
        suffix="<think>",
    ),
    Shown(
        renderer="poolside-v1",
        case="a-tool",
        conversation=talk(system(""), user(), assistant("Yes", thinking="hm"), user(), tools=(_STOP,), think=False),
        text=f"〈|EOS|〉<system>{_TOOLS}</system>\n<user>Hi</user>\n<assistant></think>Yes</assistant>\n<user>Hi</user>\n"
        "<assistant></think>",
        suffix="</think>",
    ),
    Answered(
        parser="laguna", suffix="<think>", text=f"hm\n</think>\nSo\n{_LINES}\n{_LINES}", thinking="hm", content="So", calls=(_ULM, _ULM)
    ),
    Answered(parser="laguna", suffix="</think>", text="Sun", content="Sun"),
    Answered(
        parser="laguna", suffix="</think>", text='<tool_call>{"name": "stop", "arguments": {}}</tool_call>', calls=(("stop", {}, OK),)
    ),
    Answered(parser="laguna", text=_LINES.partition("lm<")[0], calls=(("get_weather", {"city": "U"}, CUT),)),
    Answered(parser="laguna", text="<tool_call></tool_call>", content="<tool_call></tool_call>"),
    Answered(parser="poolside-v1", suffix="<think>", text=f"hm</think>So{_CALL}{_CALL}", thinking="hm", content="So", calls=(_ULM, _ULM)),
    Answered(parser="poolside-v1", suffix="<think>", text=f"hm{_CALL}", thinking="hm", calls=(_ULM,)),
    RoundTrip(renderer="laguna", parser="laguna"),
    RoundTrip(renderer="laguna-xs-2.1", parser="laguna"),
    RoundTrip(renderer="poolside-v1", parser="poolside-v1"),
    Forced(parser="laguna", suffix="</think>", accepted=(_LINES, "<tool_call>stop\n</tool_call>"), refused=("Hi", _CALL)),
    Forced(parser="poolside-v1", suffix="<think>", accepted=(f"hm</think>{_CALL}",), refused=(_CALL, "hm</think>Hi")),
]
