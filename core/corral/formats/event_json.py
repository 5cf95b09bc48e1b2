"""Write events and answers as JSON, one object each, for people, tests and other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from corral.events import (
    ContentDelta,
    Diagnostic,
    Finish,
    Logprobs,
    ThinkingDelta,
    ThinkingEnd,
    ToolCallArgsDelta,
    ToolCallEnd,
    ToolCallStart,
)

if TYPE_CHECKING:
    from corral.conversation import JsonObject
    from corral.events import Event
    from corral.formats.assembler import Answer


def event_to_json(event: Event) -> JsonObject:
    """Return an event as a JSON object; `event` in it names its kind."""
    match event:
        case ContentDelta(text):
            return {"event": "content", "text": text}
        case ThinkingDelta(text):
            return {"event": "thinking", "text": text}
        case ThinkingEnd(reason):
            return {"event": "thinking_end", "reason": reason}
        case ToolCallStart(index, name):
            return {"event": "tool_call_start", "index": index, "name": name}
        case ToolCallArgsDelta(index, json):
            return {"event": "tool_call_arguments", "index": index, "json": json}
        case ToolCallEnd():
            return {"event": "tool_call_end", "index": event.index, **_call(event), "raw": event.raw}
        case Diagnostic():
            return {"event": "diagnostic", **_diagnostic(event)}
        case Logprobs(tokens):
            return {"event": "logprobs", "tokens": [{"text": token.text, "logprob": token.logprob} for token in tokens]}
        case Finish(reason):
            return {"event": "finish", "reason": reason}
        case _:
            assert_never(event)


def answer_to_json(answer: Answer) -> JsonObject:
    """Return a folded answer as one JSON object."""
    return {
        "content": answer.content,
        "thinking": answer.thinking,
        "tool_calls": [_call(call) for call in answer.tool_calls],
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in answer.diagnostics],
    }


def _call(call: ToolCallEnd) -> JsonObject:
    return {"name": call.name, "arguments": call.arguments, "status": call.status.value}


def _diagnostic(diagnostic: Diagnostic) -> JsonObject:
    return {"code": diagnostic.code, "message": diagnostic.message, "raw": diagnostic.raw}
