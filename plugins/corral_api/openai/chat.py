"""Which route completes chats."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from corral_api.bodies import BodyReader
from corral_api.openai import reading, schema
from corral_api.openai.choices import respond
from corral_api.openai.writing import DONE, ChatWriter, Envelope, choice, frame, usage_out
from corral_api.routes import Route
from corral_api.schema import debug_info, report
from corral_api.web import EVENT_STREAM, body_bytes, json_response, request_id, stream_response, wanted_context

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from quart import Response

    from corral.api import Engine, Rendered
    from corral.events import Usage
    from corral_api.answers import Answer


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
        form = _ChatForm(
            envelope=envelope,
            with_usage=bool(body.stream_options and body.stream_options.include_usage),
            with_logprobs=request.logprobs is not None,
        )
        return await respond(self._engine, requests, form, as_stream=body.stream, ignored=ignored)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChatForm:
    """How chat completions are written."""

    envelope: Envelope
    with_usage: bool
    with_logprobs: bool

    def writer(self, index: int) -> ChatWriter:
        """Return a writer for a choice."""
        return ChatWriter(self.envelope, index, with_logprobs=self.with_logprobs)

    def closing(self, usages: Sequence[Usage]) -> bytes:
        """Return a chunk of its own for what all choices cost, when that was asked for."""
        return frame(replace(self.envelope.chunk([]), usage=usage_out(usages))) if self.with_usage else b""

    def whole(self, answers: Sequence[Answer]) -> schema.ChatCompletion:
        """Return all choices as one document."""
        choices = [choice(index, answer) for index, answer in enumerate(answers)]
        whole = self.envelope.whole(choices, usage_out(answer.finish.usage for answer in answers))
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
