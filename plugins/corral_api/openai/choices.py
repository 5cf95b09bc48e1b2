"""How the choices of one request are answered: all at the same time, whole or as one stream."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

from corral_api.merging import merged
from corral_api.openai.writing import DONE, error_out, frame
from corral_api.problems import problem_of
from corral_api.streaming import EventWriter, fold, open_answer, open_soon, unopened, written
from corral_api.web import EVENT_STREAM, json_response, report_headers, stream_response

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    import msgspec
    from quart import Response

    from corral.api import Engine, Request
    from corral.events import Usage
    from corral_api.answers import Answer
    from corral_api.streaming import Opened


class ChoiceWriter(EventWriter, Protocol):
    """Writes one choice, and knows at its end what it cost."""

    usage: Usage | None


class Form(Protocol):
    """How a route writes what its models answer."""

    def writer(self, index: int) -> ChoiceWriter:
        """Return a writer for a choice."""

    def closing(self, usages: Sequence[Usage]) -> bytes:
        """Return what a stream says after all choices, before it is done."""

    def whole(self, answers: Sequence[Answer]) -> msgspec.Struct:
        """Return all choices as one document."""


async def respond(engine: Engine, requests: Sequence[Request], form: Form, *, as_stream: bool, ignored: tuple[str, ...]) -> Response:
    """Answer requests, one per choice, which the model works on at the same time."""
    events = engine.answer(requests[0])
    first = await (open_soon(events) if as_stream else open_answer(events))
    headers = report_headers(ignored=ignored, notices=first.codes)
    if as_stream:
        return stream_response(_stream(engine, requests, form, first), EVENT_STREAM, headers=headers)
    return json_response(form.whole(await _fold_all(engine, requests, first)), headers=headers)


async def _fold_all(engine: Engine, requests: Sequence[Request], first: Opened) -> list[Answer]:
    answers = [first, *(unopened(engine.answer(request)) for request in requests[1:])]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(fold(answer)) for answer in answers]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return [task.result() for task in tasks]


async def _stream(engine: Engine, requests: Sequence[Request], form: Form, first: Opened) -> AsyncGenerator[bytes, None]:
    """Yield the chunks of all choices as they come; an error of one of them is the end of all."""
    answers = [first, *(unopened(engine.answer(request)) for request in requests[1:])]
    writers = [form.writer(index) for index in range(len(requests))]
    choices = [written(answer, writer) for answer, writer in zip(answers, writers, strict=True)]
    try:
        async with aclosing(merged(choices) if len(choices) > 1 else choices[0]) as chunks:
            async for chunk in chunks:
                yield chunk
    except Exception as error:  # noqa: BLE001 - the status is out already; the stream must say what happened
        # Without [DONE], which would claim that the answer is complete.
        yield frame(error_out(problem_of(error)))
        return
    yield form.closing([writer.usage for writer in writers if writer.usage]) + DONE
