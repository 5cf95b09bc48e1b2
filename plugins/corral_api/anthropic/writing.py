"""How an answer looks in Anthropic's form, as a stream of events or whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, assert_never, cast

import msgspec

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
    Usage,
)
from corral_api.answers import BROKEN, Text, Thinking, call_notices
from corral_api.anthropic import schema
from corral_api.arguments import arguments_text
from corral_api.schema import report

if TYPE_CHECKING:
    from corral.events import Event
    from corral_api.answers import Answer, Block
    from corral_api.problems import Problem

StreamEvent: TypeAlias = (
    schema.MessageStart
    | schema.BlockStart
    | schema.BlockDelta
    | schema.BlockStop
    | schema.MessageDelta
    | schema.MessageStop
    | schema.Ping
    | schema.ErrorOut
)

_encode = msgspec.json.Encoder().encode
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of an answer before it begins. `stops` are the stop strings that the client asked for."""

    id: str
    request_id: str
    model: str
    input_tokens: int
    stops: tuple[str, ...]

    def empty(self) -> schema.MessageOut:
        """Return the message as a stream begins with it."""
        return schema.MessageOut(self.id, "assistant", self.model, [], None, None, schema.UsageOut(self.input_tokens, 0))

    def stop(self, finish: Finish, *, has_calls: bool) -> schema.StopOut:
        """Return why an answer ended, in Anthropic's words."""
        if finish.reason == "length":
            return schema.StopOut("max_tokens", None)
        if has_calls:
            return schema.StopOut("tool_use", None)
        if finish.stop in self.stops:
            return schema.StopOut("stop_sequence", finish.stop)
        return schema.StopOut("end_turn", None)


class MessageWriter:
    """Writes an answer as events; blocks come one after the other, calls as they are written."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self._index = -1
        #: What the open block holds: a type of delta, or the index of a call; None when no block is open.
        self._open: type[ContentDelta] | type[ThinkingDelta] | int | None = None
        self._with_input = False
        self._calls = 0
        self._notices: list[Diagnostic] = []

    def start(self) -> bytes:
        """Return the event that begins the message, and a sign of life as Anthropic sends it."""
        return frame(schema.MessageStart(self._envelope.empty())) + PING

    def event(self, event: Event) -> bytes:
        """Return the events that an event makes."""
        match event:
            case ContentDelta():
                opened = self._ensure(ContentDelta, schema.TextOut(""))
                return opened + self._delta(schema.TextDelta(event.text))
            case ThinkingDelta():
                opened = self._ensure(ThinkingDelta, schema.ThinkingOut(""))
                return opened + self._delta(schema.ThinkingDeltaOut(event.text))
            case ToolCallStart():
                return self._begin_call(event)
            case ToolCallArgsDelta():
                self._with_input = True
                return self._delta(schema.InputDelta(event.json))
            case ToolCallEnd():
                return self._end_call(event)
            case Diagnostic():
                self._notices.append(event)
                return b""
            case Finish():
                return self._finish(event)
            case ThinkingEnd() | Logprobs():
                return b""
            case _:
                assert_never(event)

    def problem(self, problem: Problem) -> bytes:
        """Return the error event that ends a broken stream."""
        return frame(error_out(problem, self._envelope.request_id))

    def _begin_call(self, event: ToolCallStart | ToolCallEnd) -> bytes:
        self._with_input = False
        self._calls += 1
        return self._ensure(event.index, schema.ToolUseOut(event.id, event.name, {}))

    def _end_call(self, event: ToolCallEnd) -> bytes:
        self._notices.extend(call_notices(event))
        if event.status in BROKEN and self._open != event.index:
            return self.event(ContentDelta(event.raw)) if event.raw else b""
        begun = self._begin_call(event) if self._open != event.index else b""
        rest = b"" if self._with_input else self._delta(schema.InputDelta(arguments_text(event)))
        return begun + rest + self._close()

    def _finish(self, event: Finish) -> bytes:
        stop = self._envelope.stop(event, has_calls=self._calls > 0)
        delta = schema.MessageDelta(stop, usage_out(event.usage), report(self._notices))
        return self._close() + frame(delta) + frame(schema.MessageStop())

    def _ensure(
        self,
        kind: type[ContentDelta] | type[ThinkingDelta] | int,
        block: schema.TextOut | schema.ThinkingOut | schema.ToolUseOut,
    ) -> bytes:
        if self._open == kind:
            return b""
        closed = self._close()
        self._open = kind
        self._index += 1
        return closed + frame(schema.BlockStart(self._index, block))

    def _delta(self, delta: schema.TextDelta | schema.ThinkingDeltaOut | schema.InputDelta) -> bytes:
        return frame(schema.BlockDelta(self._index, delta))

    def _close(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        return frame(schema.BlockStop(self._index))


def whole(envelope: Envelope, answer: Answer) -> schema.MessageOut:
    """Return a whole answer."""
    stop = envelope.stop(answer.finish, has_calls=bool(answer.calls))
    return msgspec.structs.replace(
        envelope.empty(),
        content=[_block(block) for block in answer.blocks],
        stop_reason=stop.stop_reason,
        stop_sequence=stop.stop_sequence,
        usage=usage_out(answer.finish.usage),
        corral=report(answer.notices),
    )


def _block(block: Block) -> schema.TextOut | schema.ThinkingOut | schema.ToolUseOut:
    match block:
        case Text():
            return schema.TextOut(block.text)
        case Thinking():
            return schema.ThinkingOut(block.text)
        case ToolCallEnd():
            return schema.ToolUseOut(block.id, block.name, cast("dict[str, object]", block.arguments))
        case _:
            assert_never(block)


def usage_out(usage: Usage) -> schema.UsageOut:
    """Return what an answer cost; what came out of the cache is counted apart."""
    evaluated = usage.prompt_tokens - usage.cached_tokens
    return schema.UsageOut(evaluated, usage.completion_tokens, 0, usage.cached_tokens)


def error_out(problem: Problem, request_id: str) -> schema.ErrorOut:
    """Return an error in Anthropic's shape."""
    return schema.ErrorOut(schema.ErrorDetail(_TYPES.get(problem.status, "api_error"), problem.message), request_id)


def frame(event: StreamEvent) -> bytes:
    """Return an event as one server-sent event, named by its type."""
    return b"event: " + str(event.__struct_config__.tag).encode() + b"\ndata: " + _encode(event) + b"\n\n"


PING = frame(schema.Ping())
