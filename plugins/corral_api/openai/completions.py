"""Which route completes plain prompts."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from corral.events import ContentDelta, Diagnostic, Finish, Logprobs, ThinkingDelta, ToolCallEnd, Usage
from corral_api.answers import Thinking
from corral_api.bodies import BodyReader
from corral_api.openai import reading, schema
from corral_api.openai.choices import respond
from corral_api.openai.writing import FINGERPRINT, finish_reason, frame, usage_out
from corral_api.routes import Route
from corral_api.schema import debug_info, report
from corral_api.web import body_bytes, json_response, request_id, wanted_context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quart import Response

    from corral.api import Engine, Request
    from corral.events import Event, TokenLogprob
    from corral_api.answers import Answer

_NO_THINKING = Diagnostic("thinking_left_out", "the model thought; completions have no place for that, chat completions do")


@dataclass(frozen=True, slots=True)
class _Job:
    """One prompt to complete once, and the text to put before its completion."""

    index: int
    request: Request
    echo: str


class Completions:
    """Answers completions with an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._body = BodyReader(schema.CompletionRequest)

    def routes(self) -> list[Route]:
        """Return the route of completions."""
        return [
            Route(
                method="POST",
                path="/v1/completions",
                handle=self.complete,
                summary="Complete a prompt, or fill in the middle of it",
                takes=schema.CompletionRequest,
                gives=schema.Completion,
                streams=schema.Completion,
            )
        ]

    async def complete(self) -> Response:
        """Answer POST /v1/completions."""
        read = self._body.read(await body_bytes())
        body = read.value
        jobs = _jobs(body, request_id(), wanted_context())
        ignored = reading.ignored_fields(read.unknown, jobs[0].request)
        empty = schema.Completion("cmpl-" + secrets.token_hex(12), "text_completion", int(time.time()), body.model, FINGERPRINT, [])
        if body.debug_render_only:
            rendered = await self._engine.render(jobs[0].request)
            choice = schema.TextChoice("", 0, None)
            return json_response(replace(empty, choices=[choice], usage=usage_out(()), debug_info=debug_info(rendered)))
        with_usage = bool(body.stream_options and body.stream_options.include_usage)
        form = _TextForm(empty=empty, jobs=jobs, choices=body.n, with_usage=with_usage)
        return await respond(self._engine, [job.request for job in jobs], form, as_stream=body.stream, ignored=ignored)


@dataclass(frozen=True, slots=True, kw_only=True)
class _TextForm:
    """How completions are written; each prompt has so many `choices`."""

    empty: schema.Completion
    jobs: Sequence[_Job]
    choices: int
    with_usage: bool

    def writer(self, index: int) -> TextWriter:
        """Return a writer for a completion."""
        return TextWriter(self.empty, self.jobs[index])

    def closing(self, usages: Sequence[Usage]) -> bytes:
        """Return a chunk of its own for what all completions cost, when that was asked for."""
        return frame(replace(self.empty, usage=usage_out(usages, self.choices))) if self.with_usage else b""

    def whole(self, answers: Sequence[Answer]) -> schema.Completion:
        """Return all completions as one document."""
        choices = [_choice(job, answer) for job, answer in zip(self.jobs, answers, strict=True)]
        usage = usage_out((answer.finish.usage for answer in answers), self.choices)
        return replace(self.empty, choices=choices, usage=usage, corral=report([n for answer in answers for n in _notices(answer)]))


class TextWriter:
    """Writes one completion as events; what a chat would show as calls is text here."""

    def __init__(self, empty: schema.Completion, job: _Job) -> None:
        self._empty = empty
        self._job = job
        self._offset = len(job.echo)
        #: A dict keeps each notice once, and in order.
        self._notices: dict[Diagnostic, None] = {}
        self.usage: Usage | None = None

    def start(self) -> bytes:
        """Return the echo of the prompt."""
        return self._frame(self._job.echo) if self._job.echo else b""

    def event(self, event: Event) -> bytes:
        """Return the chunk that an event makes."""
        match event:
            case ContentDelta():
                return self._frame(event.text)
            case ToolCallEnd():
                return self._frame(event.raw) if event.raw else b""
            case Logprobs():
                return self._logprobs(event.tokens)
            case Diagnostic():
                self._notices[event] = None
                return b""
            case Finish():
                return self._finish(event)
            case ThinkingDelta():
                self._notices[_NO_THINKING] = None
                return b""
            case _:
                return b""

    def _finish(self, event: Finish) -> bytes:
        self.usage = event.usage
        choice = schema.TextChoice("", self._job.index, finish_reason(event, has_calls=False))
        return frame(replace(self._empty, choices=[choice], corral=report(list(self._notices))))

    def _logprobs(self, tokens: Sequence[TokenLogprob]) -> bytes:
        logprobs = text_logprobs(tokens, self._offset)
        self._offset += sum(len(token.text) for token in tokens)
        return frame(replace(self._empty, choices=[schema.TextChoice("", self._job.index, None, logprobs)]))

    def _frame(self, text: str, reason: str | None = None) -> bytes:
        return frame(replace(self._empty, choices=[schema.TextChoice(text, self._job.index, reason)]))


def _jobs(body: schema.CompletionRequest, id_: str, num_ctx: int | None) -> list[_Job]:
    requests = [
        (choice, prompt if body.echo else "")
        for prompt in reading.prompts(body)
        for choice in reading.choices(reading.completion(body, prompt, id_, num_ctx), body.n)
    ]
    return [_Job(index, request, echo) for index, (request, echo) in enumerate(requests)]


def _choice(job: _Job, answer: Answer) -> schema.TextChoice:
    logprobs = text_logprobs(answer.logprobs, len(job.echo)) if answer.logprobs else None
    return schema.TextChoice(job.echo + _text(answer), job.index, finish_reason(answer.finish, has_calls=False), logprobs)


def _text(answer: Answer) -> str:
    """Return all that the model wrote but its thinking; what a chat would show as calls is text here."""
    return "".join(
        block.raw if isinstance(block, ToolCallEnd) else block.text for block in answer.blocks if not isinstance(block, Thinking)
    )


def _notices(answer: Answer) -> list[Diagnostic]:
    return [*answer.notices, *([_NO_THINKING] if answer.thinking else [])]


def text_logprobs(tokens: Sequence[TokenLogprob], offset: int) -> schema.TextLogprobs:
    """Return probabilities in the older form; offsets count characters from the start of the text."""
    offsets = [offset]
    for token in tokens:
        offsets.append(offsets[-1] + len(token.text))
    return schema.TextLogprobs(
        [token.text for token in tokens],
        [token.logprob for token in tokens],
        [{other.text: other.logprob for other in token.top} for token in tokens],
        offsets[:-1],
    )
