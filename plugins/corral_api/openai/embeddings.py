"""Which route turns text into vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.api import EmbedRequest
from corral.errors import InvalidInput, Unsupported
from corral.options import merge
from corral_api.arguments import json_object
from corral_api.bodies import BodyReader
from corral_api.keep_alive import keep_alive_s
from corral_api.openai import schema
from corral_api.routes import Route
from corral_api.vectors import packed, shortened
from corral_api.web import body_bytes, json_response, notice_codes, report_headers, wanted_context

if TYPE_CHECKING:
    from quart import Response

    from corral.api import Engine


class Embeddings:
    """Answers embeddings with an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._body = BodyReader(schema.EmbeddingsRequest)

    def routes(self) -> list[Route]:
        """Return the route of embeddings."""
        return [
            Route(
                method="POST",
                path="/v1/embeddings",
                handle=self.embed,
                summary="Return normalised vectors of texts",
                takes=schema.EmbeddingsRequest,
                gives=schema.EmbeddingsAnswer,
            )
        ]

    async def embed(self) -> Response:
        """Answer POST /v1/embeddings."""
        read = self._body.read(await body_bytes())
        body = read.value
        request = _request(body, wanted_context())
        ignored = (*read.unknown, *(f"options.{name}" for name in merge(request.options).ignored))
        pack = _is_packed(body.encoding_format)
        embedded = await self._engine.embed(request)
        vectors = [shortened(vector, body.dimensions) for vector in embedded.embeddings.vectors]
        tokens = embedded.embeddings.prompt_tokens
        answer = schema.EmbeddingsAnswer(
            [schema.EmbeddingOut(packed(vector) if pack else vector, index) for index, vector in enumerate(vectors)],
            body.model,
            schema.EmbeddingUsage(tokens, tokens),
        )
        return json_response(answer, headers=report_headers(ignored=ignored, notices=notice_codes(embedded.embeddings.notices)))


def _request(body: schema.EmbeddingsRequest, num_ctx: int | None) -> EmbedRequest:
    if not body.model.strip():
        raise InvalidInput("model is required")
    options = {**body.options, **({"num_ctx": num_ctx} if num_ctx is not None else {})}
    return EmbedRequest(
        model=body.model.strip(),
        inputs=_inputs(body.input),
        truncate=body.truncate,
        options=json_object(options),
        keep_alive_s=keep_alive_s(body.keep_alive),
    )


def _inputs(value: str | list[object] | None) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value
    if not given:
        raise InvalidInput("invalid input")
    texts = tuple(text for text in given if isinstance(text, str))
    if len(texts) != len(given):
        raise Unsupported("input must be a string or an array of strings; tokens are not taken")
    return texts


def _is_packed(encoding: str) -> bool:
    if encoding.lower() not in ("float", "base64"):
        raise InvalidInput(f"Invalid value for 'encoding_format' = {encoding}. Supported values: ['float', 'base64'].")
    return encoding.lower() == "base64"
