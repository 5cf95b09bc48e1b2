"""How an answer looks on the native API, as a stream of lines or whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypedDict, assert_never, cast

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
)
from corral_api.answers import BROKEN, call_notices
from corral_api.ollama.schema import (
    ChatChunk,
    ErrorOut,
    FunctionOut,
    GenerateChunk,
    MessageOut,
    TokenOut,
    ToolCallOut,
)
from corral_api.schema import report

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from corral.events import Event, TokenLogprob, Usage
    from corral_api.answers import Answer
    from corral_api.problems import Problem

_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Piece:
    """What one line of a stream says."""

    text: str = ""
    thinking: str = ""
    calls: list[ToolCallOut] = field(default_factory=list)
    logprobs: list[TokenOut] = field(default_factory=list)


class Shape(Protocol):
    """One of the two forms of a native answer: /api/chat's or /api/generate's."""

    def piece(self, piece: Piece) -> msgspec.Struct:
        """Return a chunk with a piece of the answer."""

    def last(self, piece: Piece, finish: Finish, notices: Sequence[Diagnostic]) -> msgspec.Struct:
        """Return the last chunk, with figures."""


@dataclass(frozen=True, slots=True)
class ChatShape:
    """The form of /api/chat."""

    model: str

    def piece(self, piece: Piece) -> ChatChunk:
        """Return a chunk with a piece of the answer."""
        return ChatChunk(self.model, _now(), _message(piece), done=False, logprobs=piece.logprobs)

    def last(self, piece: Piece, finish: Finish, notices: Sequence[Diagnostic]) -> ChatChunk:
        """Return the last chunk, with figures."""
        return ChatChunk(
            self.model,
            _now(),
            _message(piece),
            done=True,
            done_reason=finish.reason,
            logprobs=piece.logprobs,
            corral=report(notices),
            **_figures(finish.usage),
        )


@dataclass(frozen=True, slots=True)
class GenerateShape:
    """The form of /api/generate."""

    model: str

    def piece(self, piece: Piece) -> GenerateChunk:
        """Return a chunk with a piece of the answer."""
        return GenerateChunk(
            self.model,
            _now(),
            piece.text,
            done=False,
            thinking=piece.thinking,
            tool_calls=piece.calls,
            logprobs=piece.logprobs,
        )

    def last(self, piece: Piece, finish: Finish, notices: Sequence[Diagnostic]) -> GenerateChunk:
        """Return the last chunk, with figures."""
        return GenerateChunk(
            self.model,
            _now(),
            piece.text,
            done=True,
            thinking=piece.thinking,
            done_reason=finish.reason,
            context=list(finish.tokens),
            tool_calls=piece.calls,
            logprobs=piece.logprobs,
            corral=report(notices),
            **_figures(finish.usage),
        )


class LineWriter:
    """Writes an answer as lines of JSON, each complete. Calls are never shown in part."""

    def __init__(self, shape: Shape, *, with_logprobs: bool = False) -> None:
        self._shape = shape
        self._with_logprobs = with_logprobs
        self._held = Piece()
        self._notices: list[Diagnostic] = []

    def start(self) -> bytes:
        """Return nothing: the first line is the first piece."""
        return b""

    def event(self, event: Event) -> bytes:
        """Return the line that an event makes."""
        match event:
            case ContentDelta():
                return self._text(event.text, "")
            case ThinkingDelta():
                return self._text("", event.text)
            case ToolCallEnd():
                return self._call(event)
            case Logprobs():
                self._held.logprobs.extend(tokens_out(event.tokens))
                return self._flush()
            case Diagnostic():
                self._notices.append(event)
                return b""
            case Finish():
                return self._flush() + _line(self._shape.last(Piece(), event, self._notices))
            case ThinkingEnd() | ToolCallStart() | ToolCallArgsDelta():
                return b""
            case _:
                assert_never(event)

    def problem(self, problem: Problem) -> bytes:
        """Return the error line that ends a broken stream."""
        return _line(ErrorOut(problem.message))

    def _text(self, text: str, thinking: str) -> bytes:
        if not self._with_logprobs:
            return _line(self._shape.piece(Piece(text, thinking)))
        # Probabilities come right after the text they belong to, and go out on the same line.
        self._held.text += text
        self._held.thinking += thinking
        return b""

    def _call(self, event: ToolCallEnd) -> bytes:
        self._notices.extend(call_notices(event))
        if event.status in BROKEN:
            return self._text(event.raw, "") if event.raw else b""
        return self._flush() + _line(self._shape.piece(Piece(calls=[call_out(event)])))

    def _flush(self) -> bytes:
        held = self._held
        if not (held.text or held.thinking or held.logprobs):
            return b""
        self._held = Piece()
        return _line(self._shape.piece(held))


def whole(shape: Shape, answer: Answer) -> msgspec.Struct:
    """Return a whole answer as one chunk."""
    piece = Piece(answer.text, answer.thinking, [call_out(call) for call in answer.calls], tokens_out(answer.logprobs))
    return shape.last(piece, answer.finish, answer.notices)


def call_out(call: ToolCallEnd) -> ToolCallOut:
    """Return a call as the native API writes it."""
    return ToolCallOut(call.id, FunctionOut(call.index, call.name, cast("dict[str, object]", call.arguments)))


def tokens_out(tokens: Iterable[TokenLogprob]) -> list[TokenOut]:
    """Return tokens with their probabilities."""
    return [TokenOut(t.text, t.logprob, list(t.data or t.text.encode()), tokens_out(t.top)) for t in tokens]


def _line(chunk: msgspec.Struct) -> bytes:
    return _encode(chunk) + b"\n"


def _now() -> datetime:
    return datetime.now(UTC)


def _message(piece: Piece) -> MessageOut:
    return MessageOut("assistant", piece.text, piece.thinking, piece.calls)


class _Figures(TypedDict):
    total_duration: int
    load_duration: int
    prompt_eval_count: int
    prompt_eval_duration: int
    eval_count: int
    eval_duration: int


def _figures(usage: Usage) -> _Figures:
    return {
        "total_duration": nanoseconds(usage.total_s),
        "load_duration": nanoseconds(usage.load_s),
        "prompt_eval_count": usage.prompt_tokens,
        "prompt_eval_duration": nanoseconds(usage.prompt_s),
        "eval_count": usage.completion_tokens,
        "eval_duration": nanoseconds(usage.completion_s),
    }


def nanoseconds(seconds: float) -> int:
    """Return a duration as the native API writes it."""
    return int(seconds * 1e9)
