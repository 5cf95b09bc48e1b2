"""How a chat completion looks in OpenAI's form, as a stream of events or whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

import msgspec
from msgspec.structs import replace

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
from corral_api.answers import BROKEN, call_notices
from corral_api.arguments import arguments_text
from corral_api.openai import schema
from corral_api.schema import report

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from corral.events import Event, TokenLogprob
    from corral_api.answers import Answer
    from corral_api.problems import Problem

FINGERPRINT = "fp_corral"
DONE = b"data: [DONE]\n\n"
#: A comment, as server-sent events have them: clients skip it, and whatever is on the way sees that the stream is alive.
PING = b": ping\n\n"

_encode = msgspec.json.Encoder().encode
_TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error"}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is the same in all chunks of an answer. `created` is in seconds since 1970."""

    id: str
    created: int
    model: str

    def chunk(self, choices: list[schema.ChunkChoice]) -> schema.ChatChunk:
        """Return a chunk with choices."""
        return schema.ChatChunk(self.id, "chat.completion.chunk", self.created, self.model, FINGERPRINT, choices)

    def whole(self, choices: list[schema.Choice], usage: schema.UsageOut) -> schema.ChatCompletion:
        """Return a whole completion."""
        return schema.ChatCompletion(self.id, "chat.completion", self.created, self.model, FINGERPRINT, choices, usage)


class ChatWriter:
    """Writes one choice of a chat completion as events; calls go out as they are written."""

    def __init__(self, envelope: Envelope, index: int, *, with_logprobs: bool) -> None:
        self._envelope = envelope
        self._index = index
        self._with_logprobs = with_logprobs
        self._held: list[schema.Delta] = []
        self._calls = _CallsOut()
        self._notices: list[Diagnostic] = []
        self.usage: Usage | None = None

    def start(self) -> bytes:
        """Return the chunk that says who speaks."""
        return self._frame(schema.Delta(role="assistant", content=""))

    def event(self, event: Event) -> bytes:
        """Return the chunk that an event makes."""
        match event:
            case ContentDelta():
                return self._text(schema.Delta(content=event.text))
            case ThinkingDelta():
                return self._text(_thinking(event.text))
            case ToolCallStart() | ToolCallArgsDelta():
                return self._flush() + self._call(self._calls.delta(event))
            case ToolCallEnd():
                return self._end_call(event)
            case Logprobs():
                return self._flush(event.tokens)
            case Diagnostic():
                self._notices.append(event)
                return b""
            case Finish():
                return self._finish(event)
            case ThinkingEnd():
                return b""
            case _:
                assert_never(event)

    def _text(self, delta: schema.Delta) -> bytes:
        if not self._with_logprobs:
            return self._frame(delta)
        # Probabilities come right after the text they belong to, and go out with it.
        self._held.append(delta)
        return b""

    def _flush(self, tokens: Sequence[TokenLogprob] = ()) -> bytes:
        held = self._held or ([schema.Delta()] if tokens else [])
        self._held = []
        logprobs = logprobs_out(tokens)
        return b"".join(self._frame(delta, logprobs=logprobs if delta is held[0] else None) for delta in held)

    def _call(self, delta: schema.ToolCallDelta | None) -> bytes:
        return self._frame(schema.Delta(tool_calls=[delta])) if delta else b""

    def _end_call(self, event: ToolCallEnd) -> bytes:
        self._notices.extend(call_notices(event))
        if event.status in BROKEN and not self._calls.has_begun(event.index):
            return self._text(schema.Delta(content=event.raw)) if event.raw else b""
        return self._flush() + self._call(self._calls.end(event))

    def _finish(self, event: Finish) -> bytes:
        self.usage = event.usage
        reason = finish_reason(event, has_calls=self._calls.any)
        chunk = self._envelope.chunk([schema.ChunkChoice(self._index, schema.Delta(), reason)])
        # Notices ride on this chunk: one of their own would have no choices, and many clients look at the first choice unasked.
        return self._flush() + frame(replace(chunk, corral=report(self._notices)))

    def _frame(self, delta: schema.Delta, reason: str | None = None, logprobs: schema.LogprobsOut | None = None) -> bytes:
        return frame(self._envelope.chunk([schema.ChunkChoice(self._index, delta, reason, logprobs)]))


class _CallsOut:
    """Remembers which parts of which calls a stream has shown."""

    def __init__(self) -> None:
        self._begun: set[int] = set()
        self._with_arguments: set[int] = set()

    @property
    def any(self) -> bool:
        """Return whether a call was shown."""
        return bool(self._begun)

    def has_begun(self, index: int) -> bool:
        """Return whether a client knows of a call already."""
        return index in self._begun

    def delta(self, event: ToolCallStart | ToolCallArgsDelta) -> schema.ToolCallDelta:
        """Return what a call's beginning, or a piece of its arguments, adds."""
        if isinstance(event, ToolCallStart):
            self._begun.add(event.index)
            return _begin_call(event.index, event.id, event.name, "")
        self._with_arguments.add(event.index)
        return schema.ToolCallDelta(index=event.index, function=schema.FunctionDelta(arguments=event.json))

    def end(self, event: ToolCallEnd) -> schema.ToolCallDelta | None:
        """Return what of a finished call was not shown yet."""
        arguments = arguments_text(event)
        if not self.has_begun(event.index):
            self._begun.add(event.index)
            return _begin_call(event.index, event.id, event.name, arguments)
        if event.index not in self._with_arguments:
            return schema.ToolCallDelta(index=event.index, function=schema.FunctionDelta(arguments=arguments))
        return None


def _begin_call(index: int, call_id: str, name: str, arguments: str) -> schema.ToolCallDelta:
    return schema.ToolCallDelta(index=index, id=call_id, type="function", function=schema.FunctionDelta(name=name, arguments=arguments))


def _thinking(text: str) -> schema.Delta:
    # Servers disagree on the name; clients of either find their own.
    return schema.Delta(reasoning_content=text, reasoning=text)


def choice(index: int, answer: Answer) -> schema.Choice:
    """Return a whole answer as one choice."""
    calls = [schema.ToolCallOut(call.id, schema.FunctionOut(call.name, arguments_text(call)), call.index) for call in answer.calls]
    content = None if calls and not answer.text else answer.text
    message = schema.MessageOut("assistant", content, answer.thinking, answer.thinking, calls)
    reason = finish_reason(answer.finish, has_calls=bool(calls))
    return schema.Choice(index, message, reason, logprobs_out(answer.logprobs))


def finish_reason(finish: Finish, *, has_calls: bool) -> str:
    """Return why an answer ended, in OpenAI's words."""
    if finish.reason == "length":
        return "length"
    return "tool_calls" if has_calls else "stop"


def logprobs_out(tokens: Sequence[TokenLogprob]) -> schema.LogprobsOut | None:
    """Return probabilities of tokens; None when there are none."""
    if not tokens:
        return None
    return schema.LogprobsOut(
        [schema.TopTokenOut(t.text, t.logprob, _bytes(t), [schema.TokenOut(o.text, o.logprob, _bytes(o)) for o in t.top]) for t in tokens]
    )


def _bytes(token: TokenLogprob) -> list[int]:
    return list(token.data or token.text.encode())


def usage_out(usages: Iterable[Usage], choices: int = 0) -> schema.UsageOut:
    """Return what answers cost together; each `choices` of them share a prompt, all of them when it is 0."""
    known = list(usages) or [Usage()]
    prompts = known[:: choices or len(known)]
    prompt = sum(usage.prompt_tokens for usage in prompts)
    completion = sum(usage.completion_tokens for usage in known)
    cached = sum(usage.cached_tokens for usage in prompts)
    thinking = schema.ReasoningTokens(sum(usage.thinking_tokens for usage in known))
    return schema.UsageOut(prompt, completion, prompt + completion, schema.CachedOut(cached), thinking)


def error_out(problem: Problem) -> schema.ErrorOut:
    """Return an error in OpenAI's shape."""
    return schema.ErrorOut(schema.ErrorDetail(problem.message, _TYPES.get(problem.status, "api_error"), None, problem.code or None))


def frame(value: msgspec.Struct) -> bytes:
    """Return a value as one server-sent event."""
    return b"data: " + _encode(value) + b"\n\n"
