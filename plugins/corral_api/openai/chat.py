"""Which route completes chats."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from msgspec.structs import replace

from corral_api.bodies import BodyReader
from corral_api.openai import reading, schema
from corral_api.openai.writing import DONE, ChatWriter, Envelope, choice, frame, usage_out
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

    from corral.api import Engine, Rendered, Request
    from corral_api.answers import Answer
    from corral_api.streaming import Opened


class Chat:
    """Answers chat completions with an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._body = BodyReader(schema.ChatRequest)

    def routes(self) -> list[Route]:
        """Return the route of chat completions."""
        return [
            Route(
                method="POST",
                path="/v1/chat/completions",
                handle=self.complete,
                summary="Answer a conversation",
                takes=schema.ChatRequest,
                gives=schema.ChatCompletion,
                streams=schema.ChatChunk,
            )
        ]

    async def complete(self) -> Response:
        """Answer POST /v1/chat/completions."""
        read = self._body.read(await body_bytes())
        body = read.value
        request = reading.chat(body, request_id(), wanted_context())
        ignored = reading.ignored_fields(read.unknown, request)
        requests = reading.choices(request, body.n)
        envelope = Envelope("chatcmpl-" + secrets.token_hex(12), int(time.time()), body.model)
        if body.debug_render_only:
            return _debug(envelope, await self._engine.render(request), as_stream=body.stream)
        first = await open_answer(self._engine.answer(request))
        headers = report_headers(ignored=ignored, notices=first.codes)
        if body.stream:
            with_usage = bool(body.stream_options and body.stream_options.include_usage)
            return stream_response(self._stream(envelope, requests, first, with_usage=with_usage), EVENT_STREAM, headers=headers)
        return json_response(_whole(envelope, await self._fold_all(requests, first)), headers=headers)

    async def _fold_all(self, requests: Sequence[Request], first: Opened) -> list[Answer]:
        """Return the answers to all requests, which the model works on at the same time."""

        async def rest(request: Request) -> Answer:
            return await fold(await open_answer(self._engine.answer(request)))

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(fold(first)), *(group.create_task(rest(request)) for request in requests[1:])]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        return [task.result() for task in tasks]

    async def _stream(
        self, envelope: Envelope, requests: Sequence[Request], first: Opened, *, with_usage: bool
    ) -> AsyncGenerator[bytes, None]:
        """Yield the choices one after the other, and what closes the stream."""
        writers: list[ChatWriter] = []
        for index, request in enumerate(requests):
            opened = await open_answer(self._engine.answer(request)) if index else first
            writers.append(ChatWriter(envelope, index, with_logprobs=request.logprobs is not None))
            async with aclosing(stream(opened, writers[-1])) as chunks:
                async for chunk in chunks:
                    yield chunk
            if writers[-1].usage is None:
                # It broke off, and has said so; a [DONE] now would claim that the answer is complete.
                return
        yield _closing(envelope, writers, with_usage=with_usage)


def _closing(envelope: Envelope, writers: Sequence[ChatWriter], *, with_usage: bool) -> bytes:
    if not with_usage:
        return DONE
    usage = usage_out(writer.usage for writer in writers if writer.usage)
    return frame(replace(envelope.chunk([]), usage=usage)) + DONE


def _whole(envelope: Envelope, answers: Sequence[Answer]) -> schema.ChatCompletion:
    choices = [choice(index, answer) for index, answer in enumerate(answers)]
    whole = envelope.whole(choices, usage_out(answer.finish.usage for answer in answers))
    return replace(whole, corral=report([notice for answer in answers for notice in answer.notices]))


def _debug(envelope: Envelope, rendered: Rendered, *, as_stream: bool) -> Response:
    if as_stream:
        chunk = envelope.chunk([schema.ChunkChoice(0, schema.Delta(role="assistant", content=""), None)])
        return stream_response(_once(frame(replace(chunk, debug_info=debug_info(rendered))) + DONE), EVENT_STREAM)
    message = schema.MessageOut("assistant", "")
    whole = envelope.whole([schema.Choice(0, message, None)], usage_out(()))
    return json_response(replace(whole, debug_info=debug_info(rendered)))


async def _once(data: bytes) -> AsyncGenerator[bytes, None]:
    yield data
