"""Which route completes plain prompts."""

from __future__ import annotations

import secrets
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from corral.events import ContentDelta, Diagnostic, Finish, Logprobs, ThinkingDelta, ToolCallEnd, Usage
from corral_api.answers import Thinking
from corral_api.bodies import BodyReader
from corral_api.openai import reading, schema
from corral_api.openai.writing import DONE, FINGERPRINT, error_out, finish_reason, frame, usage_out
from corral_api.routes import Route
from corral_api.schema import debug_info, report
from corral_api.streaming import fold, open_answer, stream
from corral_api.web import (
    EVENT_STREAM,
    body_bytes,
    json_response,
    report_headers,
    request_id,
    stream_response,
    wanted_context,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from quart import Response

    from corral.api import Engine, Request
    from corral.events import Event, TokenLogprob
    from corral_api.answers import Answer
    from corral_api.problems import Problem
    from corral_api.streaming import Opened

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
        first = await open_answer(self._engine.answer(jobs[0].request))
        headers = report_headers(ignored=ignored, notices=first.codes)
        if body.stream:
            choices = body.n if body.stream_options and body.stream_options.include_usage else None
            return stream_response(self._stream(empty, jobs, first, choices), EVENT_STREAM, headers=headers)
        answers = [await fold(first), *[await fold(await open_answer(self._engine.answer(job.request))) for job in jobs[1:]]]
        return json_response(_whole(empty, jobs, answers, body.n), headers=headers)

    async def _stream(
        self, empty: schema.Completion, jobs: Sequence[_Job], first: Opened, choices: int | None
    ) -> AsyncGenerator[bytes, None]:
        """Yield one completion after the other, and what they cost when it is known how many `choices` each prompt has."""
        writers: list[TextWriter] = []
        for job in jobs:
            opened = await open_answer(self._engine.answer(job.request)) if job.index else first
            writers.append(TextWriter(empty, job))
            async with aclosing(stream(opened, writers[-1])) as chunks:
                async for chunk in chunks:
                    yield chunk
            if writers[-1].usage is None:
                return
        if choices is not None:
            yield frame(replace(empty, usage=usage_out((writer.usage for writer in writers if writer.usage), choices)))
        yield DONE


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

    def problem(self, problem: Problem) -> bytes:
        """Return the error event that ends a broken stream."""
        return frame(error_out(problem))

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


def _whole(empty: schema.Completion, jobs: Sequence[_Job], answers: Sequence[Answer], n: int) -> schema.Completion:
    choices = [
        schema.TextChoice(
            job.echo + _text(answer),
            job.index,
            finish_reason(answer.finish, has_calls=False),
            text_logprobs(answer.logprobs, len(job.echo)) if answer.logprobs else None,
        )
        for job, answer in zip(jobs, answers, strict=True)
    ]
    usage = usage_out((answer.finish.usage for answer in answers), n)
    return replace(empty, choices=choices, usage=usage, corral=report([n for answer in answers for n in _notices(answer)]))


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
