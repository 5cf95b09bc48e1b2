"""Which native routes turn text into vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.api import EmbedRequest
from corral.errors import InvalidInput
from corral_api.arguments import json_object
from corral_api.bodies import BodyReader
from corral_api.keep_alive import keep_alive_s
from corral_api.ollama import reading, schema
from corral_api.ollama.writing import nanoseconds
from corral_api.routes import Route
from corral_api.vectors import normalised, shortened
from corral_api.web import body_bytes, json_response, notice_codes, report_headers

if TYPE_CHECKING:
    from quart import Response

    from corral.api import Engine


class Embedding:
    """Answers embed and its older form with an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._embed_body = BodyReader(schema.EmbedRequest, any_case=True)
        self._embeddings_body = BodyReader(schema.EmbeddingsRequest, any_case=True)

    def routes(self) -> list[Route]:
        """Return the routes of embed."""
        return [
            Route(
                method="POST",
                path="/api/embed",
                handle=self.embed,
                summary="Return normalised vectors of texts",
                takes=schema.EmbedRequest,
                gives=schema.EmbedAnswer,
            ),
            Route(
                method="POST",
                path="/api/embeddings",
                handle=self.embeddings,
                summary="Return the vector of a prompt (older form of embed)",
                takes=schema.EmbeddingsRequest,
                gives=schema.EmbeddingsAnswer,
            ),
        ]

    async def embed(self) -> Response:
        """Answer POST /api/embed; without input, load the model."""
        read = self._embed_body.read(await body_bytes())
        body = read.value
        request = EmbedRequest(
            model=body.model,
            inputs=_inputs(body.input),
            truncate=body.truncate,
            options=json_object(body.options),
            keep_alive_s=keep_alive_s(body.keep_alive),
        )
        ignored = (*read.unknown, *reading.ignored_options(body.options))
        if not request.inputs:
            load_s = await self._engine.load(request.model, request.options, request.keep_alive_s)
            return json_response(
                schema.EmbedAnswer(body.model, [], nanoseconds(load_s), nanoseconds(load_s), 0), headers=report_headers(ignored=ignored)
            )
        embedded = await self._engine.embed(request)
        answer = schema.EmbedAnswer(
            body.model,
            [shortened(vector, body.dimensions) for vector in embedded.embeddings.vectors],
            nanoseconds(embedded.total_s),
            nanoseconds(embedded.load_s),
            embedded.embeddings.prompt_tokens,
        )
        return json_response(answer, headers=report_headers(ignored=ignored, notices=notice_codes(embedded.embeddings.notices)))

    async def embeddings(self) -> Response:
        """Answer POST /api/embeddings; without a prompt, load the model."""
        read = self._embeddings_body.read(await body_bytes())
        body = read.value
        request = EmbedRequest(
            model=reading.model_name(body.model, "model is required"),
            inputs=(body.prompt,) if body.prompt else (),
            options=json_object(body.options),
            keep_alive_s=keep_alive_s(body.keep_alive),
        )
        ignored = (*read.unknown, *reading.ignored_options(body.options))
        if not request.inputs:
            await self._engine.load(request.model, request.options, request.keep_alive_s)
            return json_response(schema.EmbeddingsAnswer([]), headers=report_headers(ignored=ignored))
        embeddings = (await self._engine.embed(request)).embeddings
        headers = report_headers(ignored=ignored, notices=notice_codes(embeddings.notices))
        return json_response(schema.EmbeddingsAnswer(normalised(embeddings.vectors[0])), headers=headers)


def _inputs(value: object) -> tuple[str, ...]:
    texts = [] if value in (None, "") else [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidInput("invalid input type")
    return tuple(texts)
