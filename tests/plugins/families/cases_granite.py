"""What Granite is shown and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from family import CUT, OK, Answered, Forced, Holds, Reference, RoundTrip, Shown, assistant, call, result, system, talk, user

if TYPE_CHECKING:
    from corral.conversation import Conversation, Json, JsonObject

_CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Ulm"}}\n</tool_call>'
_STOP = '<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call>'
_LIST = '<|tool_call|>[{"name": "get_weather", "arguments": {"city": "Ulm"}}, {"name": "stop", "arguments": {}}]'
_READ = ("get_weather", {"city": "Ulm"}, OK)
_TOOL: JsonObject = {"type": "function"}
_DEFAULT = "You are a helpful assistant. Please ensure responses are professional, accurate, and safe."
_SYSTEM_33 = "<|start_of_role|>system<|end_of_role|>Knowledge Cutoff Date: April 2024. "
_ANSWER_33 = "<|start_of_role|>assistant<|end_of_role|>"


def _dated(source: str) -> str:
    """Tell a date only when there is one."""
    told = '" + ("Today\'s Date: " + current_date + ". " if current_date else "") + "'
    return source.replace("""Today's Date: " + strftime_now('%B %d, %Y') + ". """, told)


def _calls(conversation: Conversation) -> bool:
    return any(message.tool_calls for message in conversation.messages)


_DOCUMENTS: Json = [{"doc_id": 1, "text": "Ulm is wet."}, {"doc_id": "b", "text": ""}]
_ARGUMENTS: tuple[JsonObject, ...] = (
    {},
    {"current_date": "May 1, 2026"},
    {"documents": _DOCUMENTS},
    {"documents": _DOCUMENTS, "controls": {"citations": True, "hallucinations": True}},
    {"controls": {"length": "short", "citations": True}},
)

CASES = [
    Reference(
        renderer="granite3.3",
        template="ibm-granite-granite-3.3-2B-Instruct.jinja",
        holds=Holds(later_system=True, calls=False, arguments=_ARGUMENTS),
        edit=_dated,
        excuse=_calls,
        differs="the reference tells today's date, and forgets calls",
    ),
    Reference(renderer="granite4", template="ibm-granite-granite-4.0.jinja", holds=Holds(later_system=True)),
    Reference(renderer="granite4.1", template="ibm-granite-granite-4.1.jinja", holds=Holds(later_system=True)),
    Shown(
        renderer="granite3.3",
        case="a-result",
        conversation=talk(user(), assistant("Look", call(city="Ulm"), call("stop"), thinking="hm"), result(), current_date="May 1"),
        text=f"{_SYSTEM_33}Today's Date: May 1. You are Granite, developed by IBM. You are a helpful AI assistant.<|end_of_text|>\n"
        f"<|start_of_role|>user<|end_of_role|>Hi<|end_of_text|>\n{_ANSWER_33}Look{_LIST}<|end_of_text|>\n"
        f"<|start_of_role|>tool<|end_of_role|>rain<|end_of_text|>\n{_ANSWER_33}",
    ),
    Shown(
        renderer="granite3.3",
        case="a-document",
        conversation=talk(
            system(), user(), tools=(_TOOL,), documents=[{"doc_id": 1, "text": "Wet."}], controls={"length": "short"}, think=True
        ),
        text="<|start_of_role|>system<|end_of_role|>Be kind<|end_of_text|>\n<|start_of_role|>available_tools<|end_of_role|>"
        '[\n    {\n        "type": "function"\n    }\n]<|end_of_text|>\n'
        '<|start_of_role|>document {"document_id": "1"}<|end_of_role|>\nWet.<|end_of_text|>\n'
        '<|start_of_role|>user<|end_of_role|>Hi<|end_of_text|>\n<|start_of_role|>assistant {"length": "short"}<|end_of_role|>',
    ),
    Shown(
        renderer="granite3.3",
        case="a-beginning",
        conversation=talk(system(), user(), assistant("So")),
        text="<|start_of_role|>system<|end_of_role|>Be kind<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>Hi<|end_of_text|>\n"
        f"{_ANSWER_33}So",
        suffix="So",
    ),
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
    RoundTrip(renderer="granite3.3", parser="granite3.3", holds=Holds(thinking=False)),
    RoundTrip(renderer="granite4", parser="granite4", holds=Holds(thinking=False)),
    RoundTrip(renderer="granite4.1", parser="granite4", holds=Holds(thinking=False)),
    Forced(parser="granite4", accepted=(_CALL, f"{_CALL}\n{_STOP}"), refused=("Hi", _LIST)),
    Forced(parser="granite3.3", accepted=(_LIST,), refused=("Hi", _CALL)),
]
