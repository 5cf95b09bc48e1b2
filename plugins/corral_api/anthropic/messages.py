"""Which routes answer messages, and count their tokens."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from corral_api.anthropic import reading, schema
from corral_api.anthropic.writing import Envelope, MessageWriter, whole
from corral_api.bodies import BodyReader
from corral_api.routes import Route
from corral_api.schema import debug_info
from corral_api.streaming import fold, open_answer, open_soon, stream
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
    from quart import Response

    from corral.api import Engine, Request


class Messages:
    """Answers messages with an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._body = BodyReader(schema.MessagesRequest)
        self._tokens_body = BodyReader(schema.TokensRequest)

    def routes(self) -> list[Route]:
        """Return the routes of messages."""
        return [
            Route(
                method="POST",
                path="/v1/messages",
                handle=self.answer,
                summary="Answer a conversation",
                takes=schema.MessagesRequest,
                gives=schema.MessageOut,
                streams=schema.BlockDelta,
            ),
            Route(
                method="POST",
                path="/v1/messages/count_tokens",
                handle=self.count_tokens,
                summary="Count the tokens of a conversation's prompt",
                takes=schema.TokensRequest,
                gives=schema.TokensAnswer,
            ),
        ]

    async def answer(self) -> Response:
        """Answer POST /v1/messages."""
        read = self._body.read(await body_bytes())
        body = read.value
        request = reading.messages_request(body, request_id(), wanted_context())
        ignored = reading.ignored_fields(read.unknown, body, request)
        request, unthinking = await self._able(request)
        envelope = Envelope(f"msg_{secrets.token_hex(12)}", request.id, body.model, 0, tuple(body.stop_sequences))
        if body.debug_render_only:
            rendered = await self._engine.render(request)
            return json_response(msgspec.structs.replace(envelope.empty(), debug_info=debug_info(rendered)))
        if body.stream:
            # Clients show this number while the answer comes; it must be counted before, not while, a slot is taken.
            envelope = replace(envelope, input_tokens=await self._engine.count_tokens(request))
        events = self._engine.answer(request)
        opened = await (open_soon(events) if body.stream else open_answer(events))
        headers = report_headers(ignored=(*ignored, *unthinking), notices=opened.codes)
        if body.stream:
            return stream_response(stream(opened, MessageWriter(envelope)), EVENT_STREAM, headers=headers)
        return json_response(whole(envelope, await fold(opened)), headers=headers)

    async def count_tokens(self) -> Response:
        """Answer POST /v1/messages/count_tokens."""
        read = self._tokens_body.read(await body_bytes())
        request = reading.tokens_request(read.value, request_id(), wanted_context())
        ignored = reading.ignored_fields(read.unknown, read.value, request)
        request, unthinking = await self._able(request)
        tokens = await self._engine.count_tokens(request)
        return json_response(schema.TokensAnswer(tokens), headers=report_headers(ignored=(*ignored, *unthinking)))

    async def _able(self, request: Request) -> tuple[Request, tuple[str, ...]]:
        """Return the request without thinking for a model that can't, and what was left out: agents ask every model for it."""
        if not request.conversation.think:
            return request, ()
        details = await asyncio.to_thread(self._engine.library.show, request.model)
        if details.support.thinking != "none":
            return request, ()
        return replace(request, conversation=replace(request.conversation, think=None)), ("thinking",)
