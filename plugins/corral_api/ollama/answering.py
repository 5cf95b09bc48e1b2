"""Which native routes let a model speak: chat and generate, and through them load and unload."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from corral.events import Finish
from corral_api.bodies import BodyReader
from corral_api.ollama import reading, schema
from corral_api.ollama.writing import ChatShape, GenerateShape, LineWriter, Piece, whole
from corral_api.routes import Route
from corral_api.schema import debug_info
from corral_api.streaming import fold, open_answer, stream
from corral_api.web import NDJSON, body_bytes, json_response, report_headers, request_id, stream_response

if TYPE_CHECKING:
    from quart import Response

    from corral.api import Engine, Rendered, Request
    from corral_api.ollama.writing import Shape


class Answering:
    """Answers chat and generate with an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._chat_body = BodyReader(schema.ChatRequest, any_case=True)
        self._generate_body = BodyReader(schema.GenerateRequest, any_case=True)

    def routes(self) -> list[Route]:
        """Return the routes of chat and generate."""
        return [
            Route(
                method="POST",
                path="/api/chat",
                handle=self.chat,
                summary="Answer a conversation; without messages, load or unload the model",
                takes=schema.ChatRequest,
                gives=schema.ChatChunk,
                streams=schema.ChatChunk,
            ),
            Route(
                method="POST",
                path="/api/generate",
                handle=self.generate,
                summary="Answer a prompt; without one, load or unload the model",
                takes=schema.GenerateRequest,
                gives=schema.GenerateChunk,
                streams=schema.GenerateChunk,
            ),
        ]

    async def chat(self) -> Response:
        """Answer POST /api/chat."""
        read = self._chat_body.read(await body_bytes())
        body = read.value
        request = reading.chat(body, request_id())
        ignored = (*read.unknown, *reading.ignored_options(body.options))
        shape = ChatShape(body.model)
        if not body.messages:
            return await self._load_or_unload(request, shape, ignored)
        if body.debug_render_only:
            return json_response(_debug_chat(body.model, await self._engine.render(request)))
        return await self._answer(request, shape, as_stream=body.stream, ignored=ignored)

    async def generate(self) -> Response:
        """Answer POST /api/generate."""
        read = self._generate_body.read(await body_bytes())
        body = read.value
        request = reading.generate(body, request_id())
        ignored = (*read.unknown, *reading.ignored_options(body.options))
        shape = GenerateShape(body.model)
        if not (body.prompt or body.suffix or body.images):
            return await self._load_or_unload(request, shape, ignored)
        if body.debug_render_only:
            return json_response(_debug_generate(body.model, await self._engine.render(request)))
        return await self._answer(request, shape, as_stream=body.stream, ignored=ignored)

    async def _answer(self, request: Request, shape: Shape, *, as_stream: bool, ignored: tuple[str, ...]) -> Response:
        opened = await open_answer(self._engine.answer(request))
        headers = report_headers(ignored=ignored, notices=opened.codes)
        if as_stream:
            writer = LineWriter(shape, with_logprobs=request.logprobs is not None)
            return stream_response(stream(opened, writer), NDJSON, headers=headers)
        return json_response(whole(shape, await fold(opened)), headers=headers)

    async def _load_or_unload(self, request: Request, shape: Shape, ignored: tuple[str, ...]) -> Response:
        """Answer a request without content: it loads the model, or lets it go when it should not be kept."""
        headers = report_headers(ignored=ignored)
        if request.keep_alive_s == 0:
            await self._engine.unload(request.model)
            return json_response(shape.last(Piece(), Finish("unload"), ()), headers=headers)
        await self._engine.load(request.model, request.conversation.options, request.keep_alive_s)
        return json_response(shape.last(Piece(), Finish("load"), ()), headers=headers)


def _debug_chat(model: str, rendered: Rendered) -> schema.ChatChunk:
    empty = schema.MessageOut("", "")
    return schema.ChatChunk(model, datetime.now(UTC), empty, done=False, debug_info=debug_info(rendered))


def _debug_generate(model: str, rendered: Rendered) -> schema.GenerateChunk:
    return schema.GenerateChunk(model, datetime.now(UTC), "", done=False, debug_info=debug_info(rendered))
