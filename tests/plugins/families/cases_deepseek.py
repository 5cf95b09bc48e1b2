"""What DeepSeek's models are shown and answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

from corral.events import CallStatus

if TYPE_CHECKING:
    from corral.conversation import Conversation

_CALL = '<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city": "Ulm"}<｜tool▁call▁end｜>'
_STOP = "<｜tool▁call▁begin｜>stop<｜tool▁sep｜>{}<｜tool▁call▁end｜>"
_R1_CALL = '<｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{"city": "Ulm"}\n```<｜tool▁call▁end｜>'
_ULM = ("get_weather", {"city": "Ulm"}, OK)


def _section(*calls: str) -> str:
    return f"<｜tool▁calls▁begin｜>{''.join(calls)}<｜tool▁calls▁end｜>"


def _has_tools(conversation: Conversation) -> bool:
    return bool(conversation.tools)


def _as_published(template: str) -> str:
    return template.replace("<think></think>", "</think>")


CASES = [
    Reference(
        renderer="deepseek3.1",
        template="deepseek-ai-DeepSeek-V3.1.jinja",
        holds=Holds(later_system=True, tools=False),
        edit=_as_published,
        excuse=_has_tools,
        differs="the reference does not show tools, and was changed to what DeepSeek published: thinking closes without being opened",
    ),
    Shown(
        renderer="deepseek3.1",
        case="two-turns",
        conversation=talk(system(), system("Be short"), user(), assistant("<think>x</think>Yes"), user("And?"), think=True),
        text="<s>Be kind\n\nBe short<｜User｜>Hi<｜Assistant｜></think>Yes<｜end▁of▁sentence｜><｜User｜>And?<｜Assistant｜><think>",
        suffix="<think>",
    ),
    Shown(
        renderer="deepseek3.1",
        case="after-a-result",
        conversation=talk(user(), assistant("Look", call(city="Ulm"), call("stop")), result()),
        text=f"<s><｜User｜>Hi<｜Assistant｜></think>Look{_section(_CALL, _STOP)}<｜end▁of▁sentence｜>"
        "<｜tool▁output▁begin｜>rain<｜tool▁output▁end｜>",
    ),
    Shown(
        renderer="deepseek3.1",
        case="a-beginning",
        conversation=talk(user(), assistant("So", thinking="hm")),
        text="<s><｜User｜>Hi<｜Assistant｜><think>hm</think>So",
        suffix="<think>hm</think>So",
    ),
    Shown(
        renderer="deepseek3.1",
        case="a-tool",
        conversation=talk(system(), user(), tools=({"type": "function", "function": {"name": "f", "description": "does"}},)),
        text="<s>Be kind\n\n## Tools\nYou have access to the following tools:\n\n### f\nDescription: does\n\nParameters: {}\n\n"
        "IMPORTANT: ALWAYS adhere to this exact format for tool use:\n<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>tool_call_name"
        "<｜tool▁sep｜>tool_call_arguments<｜tool▁call▁end｜>{additional_tool_calls}<｜tool▁calls▁end｜>\n\nWhere:\n"
        "- `tool_call_name` must be an exact match to one of the available tools\n"
        "- `tool_call_arguments` must be valid JSON that strictly follows the tool's Parameters Schema\n"
        "- For multiple tool calls, chain them directly without separators or spaces\n<｜User｜>Hi<｜Assistant｜></think>",
        suffix="</think>",
    ),
    Answered(parser="deepseek3", suffix="</think>", text="Sun", content="Sun"),
    Answered(parser="deepseek3", text="<think>hm</think>Sun", thinking="hm", content="Sun"),
    Answered(parser="deepseek3", suffix="<think>", text="hm</think>\nSun", thinking="hm", content="Sun"),
    Answered(parser="deepseek3", suffix="<think></think>", text="Sun <think> 1 < 2", content="Sun <think> 1 < 2"),
    Answered(
        parser="deepseek3.1",
        text=f"I look.{_section(_CALL, _STOP)}",
        content="I look.",
        calls=(_ULM, ("stop", {}, OK)),
        suffix="<think></think>",
    ),
    Answered(parser="deepseek3", suffix="<think>", text=f"hm{_section(_CALL)}", thinking="hm", calls=(_ULM,)),
    Answered(parser="deepseek3", text=f"So {_CALL}", content="So", calls=(_ULM,)),
    Answered(parser="deepseek3", text=_section(_CALL).partition("}")[0], calls=(("get_weather", {"city": "Ulm"}, CUT),)),
    Answered(
        parser="deepseek3",
        text='<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city": "U',
        calls=(("get_weather", {"city": "U"}, CUT),),
    ),
    Answered(
        parser="deepseek3",
        text="<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>now<｜tool▁call▁end｜>",
        calls=(("get_weather", {}, CallStatus.MALFORMED),),
    ),
    Answered(parser="deepseek-r1", suffix="<think>\n", text=f"hm\n</think>\n{_section(_R1_CALL)}", thinking="hm", calls=(_ULM,)),
    Answered(
        parser="deepseek-r1", text=f"<think>hm</think>A{_section(_R1_CALL, _R1_CALL)}", thinking="hm", content="A", calls=(_ULM, _ULM)
    ),
    Answered(parser="deepseek-r1", text=_section(_R1_CALL).partition("{")[0], calls=(("get_weather", {}, CUT),)),
    RoundTrip(renderer="deepseek3.1", parser="deepseek3", holds=Holds(thinking=False)),
    Forced(parser="deepseek3", accepted=(_section(_CALL), _section(_CALL, _STOP)), refused=("Hi", _CALL, _section(_R1_CALL))),
    Forced(parser="deepseek3", suffix="<think>", accepted=(f"hm</think>{_section(_CALL)}",), refused=("hm",)),
    Forced(parser="deepseek-r1", accepted=(_section(_R1_CALL),), refused=(_section(_CALL),)),
]
