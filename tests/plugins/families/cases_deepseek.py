"""What DeepSeek's models are shown and answer."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, describe, result, system, talk, user

from corral.events import CallStatus

if TYPE_CHECKING:
    from corral.conversation import Conversation, JsonObject, Message

_CALL = '<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city": "Ulm"}<｜tool▁call▁end｜>'
_STOP = "<｜tool▁call▁begin｜>stop<｜tool▁sep｜>{}<｜tool▁call▁end｜>"
_R1_CALL = '<｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{"city": "Ulm"}\n```<｜tool▁call▁end｜>'
_R1_STOP = "<｜tool▁call▁begin｜>function<｜tool▁sep｜>stop\n```json\n{}\n```<｜tool▁call▁end｜>"
_ULM = ("get_weather", {"city": "Ulm"}, OK)
_STOP_TOOL: JsonObject = {"type": "function", "function": {"name": "stop"}}
_RESULTS = ("<｜tool▁output▁begin｜>1<｜tool▁output▁end｜>", "<｜tool▁output▁begin｜>2<｜tool▁output▁end｜>")
_TWO_RESULTS = "<｜tool▁outputs▁begin｜>{}\n{}<｜tool▁outputs▁end｜>".format(*_RESULTS)


_COGITO = "You are Cogito, an AI assistant created by Deep Cogito, which is an AI research lab based in San Francisco."


def _section(*calls: str) -> str:
    return f"<｜tool▁calls▁begin｜>{''.join(calls)}<｜tool▁calls▁end｜>"


def _has_tools(conversation: Conversation) -> bool:
    return bool(conversation.tools)


def _as_published(template: str) -> str:
    return template.replace("<think></think>", "</think>")


def _describe_r1(message: Message) -> JsonObject:
    return {**describe(message), "content": None if message.tool_calls else message.content}


def _thinks(conversation: Conversation) -> JsonObject:
    return {"enable_thinking": conversation.think is not False}


def _one_section_a_run(template: str) -> str:
    begin_calls = "{%- set ns.is_first = false -%}{%- for tool in message['tool_calls']-%}"
    begin_results = "{%- if not ns.is_tool -%}{%- set ns.is_output_first = true -%}{%- endif -%}{%- set ns.is_tool = true -%}"
    template = template.replace("{%- for tool in message['tool_calls']-%}", begin_calls)
    return template.replace("{%- set ns.is_tool = true -%}", begin_results)


def _breaks_sections(conversation: Conversation) -> bool:
    """Return whether text stands next to calls, or anything but an answer follows a result: the reference loses tags then."""
    turns = conversation.messages
    follows = any(one.role == "tool" and (other.role == "user" or bool(other.tool_calls)) for one, other in pairwise(turns))
    return follows or any(message.tool_calls and message.content for message in turns)


def _calls(conversation: Conversation) -> bool:
    return any(message.tool_calls or message.role == "tool" for message in conversation.messages)


def _calls_or_says_nothing(conversation: Conversation) -> bool:
    return _calls(conversation) or any(message.role == "assistant" and not message.content for message in conversation.messages)


def _as_the_distillates(template: str) -> str:
    template = template.replace("'<｜User｜>' + message['content'] + '<｜end▁of▁sentence｜>'", "'<｜User｜>' + message['content']")
    return template.replace("is_tool_outputs", "is_tool").replace("map(attribute='function') |", "map(attribute='function') | list |")


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
    Reference(
        renderer="deepseek-r1",
        template="deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja",
        holds=Holds(tools=False, content_with_calls=False),
        variables=_thinks,
        describe=_describe_r1,
        edit=_one_section_a_run,
        excuse=_breaks_sections,
        differs="the reference shows no tools, loses tags around results and next to calls, and was changed to begin each run of either",
    ),
    Reference(
        renderer="deepseek-r1",
        template="deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja",
        holds=Holds(tools=False, calls=False, results=False, think=(None, True)),
        excuse=_calls,
        differs="the reference shows no tools, and forgets ends of calls and of results",
    ),
    Reference(
        renderer="deepseek-r1",
        template="llama-cpp-deepseek-r1.jinja",
        holds=Holds(calls=False, results=False, think=(None, True)),
        edit=_as_the_distillates,
        excuse=_calls_or_says_nothing,
        differs="users' turns, calls and results are those of the distillates",
    ),
    Shown(
        renderer="deepseek-r1",
        case="two-turns",
        conversation=talk(system(), user(), assistant("<think>\nx\n</think>\n\nYes", thinking="hm"), user("And?")),
        text="<s>Be kind<｜User｜>Hi<｜Assistant｜>\n\nYes<｜end▁of▁sentence｜><｜User｜>And?<｜Assistant｜><think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="deepseek-r1",
        case="results",
        conversation=talk(user(), assistant("Look", call(city="Ulm"), call("stop")), result("1"), result("2"), think=False),
        text=f"<s><｜User｜>Hi<｜Assistant｜>Look<｜tool▁calls▁begin｜>{_R1_CALL}\n{_R1_STOP}<｜tool▁calls▁end｜><｜end▁of▁sentence｜>"
        f"{_TWO_RESULTS}",
    ),
    Shown(
        renderer="deepseek-r1",
        case="a-beginning",
        conversation=talk(user(), assistant("So", thinking="hm")),
        text="<s><｜User｜>Hi<｜Assistant｜><think>\nhm\n</think>\n\nSo",
        suffix="<think>\nhm\n</think>\n\nSo",
    ),
    Shown(
        renderer="cogito",
        case="thinking",
        conversation=talk(system(), user(), assistant("Yes", thinking="hm"), user("And?"), think=True),
        text=f"<s>Enable deep thinking subroutine.\n\n{_COGITO}\n\nBe kind\n\n<｜User｜>Hi<｜Assistant｜>Yes<｜end▁of▁sentence｜>"
        "<｜User｜>And?<｜Assistant｜><think>\n",
        suffix="<think>\n",
    ),
    Shown(
        renderer="cogito",
        case="a-tool-and-results",
        conversation=talk(user(), assistant("Look ", call(city="Ulm"), call("stop")), result("1"), result("2"), tools=(_STOP_TOOL,)),
        text=f'<s>{_COGITO}\nYou have the following functions available:\n```json\n{{\n    "type": "function",\n'
        '    "function": {\n        "name": "stop"\n    }\n}\n```\n<｜User｜>Hi<｜Assistant｜>Look<｜tool▁calls▁begin｜>'
        f"{_R1_CALL}\n{_R1_STOP}<｜tool▁calls▁end｜><｜end▁of▁sentence｜>{_TWO_RESULTS}<｜Assistant｜>",
    ),
    Shown(
        renderer="cogito",
        case="a-beginning",
        conversation=talk(user(), assistant("So", thinking="hm")),
        text=f"<s>{_COGITO}<｜User｜>Hi<｜Assistant｜><think>\nhm\n</think>\n\nSo",
        suffix="<think>\nhm\n</think>\n\nSo",
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
    Answered(parser="cogito", text=f"I look.\n{_section(_R1_CALL)}", content="I look.", calls=(_ULM,)),
    Answered(parser="cogito", suffix="<think>\n", text="hm\n</think>\n\nSun", thinking="hm", content="Sun"),
    RoundTrip(renderer="deepseek3.1", parser="deepseek3", holds=Holds(thinking=False)),
    RoundTrip(renderer="deepseek-r1", parser="deepseek-r1", holds=Holds(thinking=False)),
    RoundTrip(renderer="cogito", parser="cogito", holds=Holds(thinking=False)),
    Forced(parser="deepseek3", accepted=(_section(_CALL), _section(_CALL, _STOP)), refused=("Hi", _CALL, _section(_R1_CALL))),
    Forced(parser="deepseek3", suffix="<think>", accepted=(f"hm</think>{_section(_CALL)}",), refused=("hm",)),
    Forced(parser="deepseek-r1", accepted=(_section(_R1_CALL),), refused=(_section(_CALL),)),
]
