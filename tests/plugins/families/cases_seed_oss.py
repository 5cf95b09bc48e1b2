"""What Seed-OSS is shown and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

if TYPE_CHECKING:
    from corral.conversation import Conversation, JsonObject

_CALL = "<seed:tool_call>\n<function=get_weather>\n<parameter=city>Ulm</parameter>\n</function>\n</seed:tool_call>"
_STOP = "<seed:tool_call>\n<function=stop>\n</function>\n</seed:tool_call>"
_READ = ("get_weather", {"city": "Ulm"}, OK)
_TOOL: JsonObject = {
    "type": "function",
    "function": {
        "name": "f",
        "description": " Does ",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "string", "description": "what"}, "b": {"type": "object"}},
            "required": ["a"],
        },
    },
}


def _budget(conversation: Conversation) -> JsonObject:
    return {"thinking_budget": 0} if conversation.think is False else {}


def _has_empty_answer(conversation: Conversation) -> bool:
    return any(m.role == "assistant" and not m.tool_calls and not m.content.strip() for m in conversation.messages)


CASES = [
    Reference(
        renderer="seed-oss",
        template="ByteDance-Seed-OSS.jinja",
        holds=Holds(later_system=True),
        variables=_budget,
        excuse=_has_empty_answer,
        differs="the reference leaves out the end of an empty answer",
    ),
    Shown(
        renderer="seed-oss",
        case="a-tool",
        conversation=talk(user(), tools=(_TOOL,)),
        text="<seed:bos>system\nYou are Doubao, a helpful AI assistant. You may call one or more functions to assist with the user query."
        '\n\nFunction:\ndef f(a: str,b: Any):\n    """\n    Does\n\n    Args:\n    - a (str) [必填]: what\n    - b (Any) [选填]: '
        '\n\n    """\n'
        "工具调用请遵循如下格式:\n<seed:tool_call>\n<function=example_function_name>\n<parameter=example_parameter_1>value_1</parameter>\n"
        "<parameter=example_parameter_2>This is the value for the second parameter\nthat can span\nmultiple lines</parameter>\n"
        "</function>\n"
        "</seed:tool_call>\n<seed:eos><seed:bos>user\nHi<seed:eos><seed:bos>assistant\n",
    ),
    Shown(
        renderer="seed-oss",
        case="a-result",
        conversation=talk(system(), user(), assistant("Look", call(city="Ulm"), thinking="hm"), result()),
        text="<seed:bos>system\nBe kind<seed:eos><seed:bos>user\nHi<seed:eos><seed:bos>assistant\n<seed:think>hm</seed:think>\nLook\n\n"
        f"{_CALL}<seed:eos><seed:bos>tool\nrain<seed:eos><seed:bos>assistant\n",
    ),
    Shown(
        renderer="seed-oss",
        case="a-beginning",
        conversation=talk(user(), assistant("So", thinking="hm")),
        text="<seed:bos>user\nHi<seed:eos><seed:bos>assistant\n<seed:think>hm</seed:think>\nSo",
        suffix="\n<seed:think>hm</seed:think>\nSo",
    ),
    Answered(parser="seed-oss", text="<seed:think>hm</seed:think>Sun", thinking="hm", content="Sun"),
    Answered(
        parser="seed-oss",
        text=f"<seed:think>hm</seed:think>So\n{_CALL}\n{_STOP}",
        thinking="hm",
        content="So",
        calls=(_READ, ("stop", {}, OK)),
    ),
    Answered(parser="seed-oss", text=_CALL.partition("lm<")[0], calls=(("get_weather", {"city": "U"}, CUT),)),
    Answered(parser="seed-oss", text=f"<seed:think>hm\n{_CALL}", thinking="hm", calls=(_READ,)),
    RoundTrip(renderer="seed-oss", parser="seed-oss"),
    Forced(parser="seed-oss", accepted=(_CALL, f"{_STOP}\n{_CALL}"), refused=("Hi", f"<seed:think>hm</seed:think>{_CALL}")),
    Forced(parser="seed-oss", think=True, accepted=(f"<seed:think>hm</seed:think>{_CALL}", _CALL), refused=("<seed:think>hm",)),
]
