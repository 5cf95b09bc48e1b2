"""Which routes rank documents by what they have to do with a query: as Jina and Cohere have them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from corral.api import RerankRequest
from corral.errors import InvalidInput
from corral.options import merge
from corral_api.arguments import json_object
from corral_api.bodies import BodyReader
from corral_api.keep_alive import keep_alive_s
from corral_api.openai import schema
from corral_api.routes import Route
from corral_api.web import body_bytes, json_response, notice_codes, report_headers, wanted_context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quart import Response

    from corral.api import Engine

#: Jina's and most servers' path, and that of Cohere's client.
PATHS = ("/v1/rerank", "/v2/rerank")


class Reranking:
    """Answers rerank with an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._body = BodyReader(schema.RerankRequest)

    def routes(self) -> list[Route]:
        """Return the routes of rerank."""
        return [
            Route(
                method="POST",
                path=path,
                handle=self.rerank,
                summary="Rank documents by their relevance to a query",
                takes=schema.RerankRequest,
                gives=schema.RerankAnswer,
            )
            for path in PATHS
        ]

    async def rerank(self) -> Response:
        """Answer POST /v1/rerank: the best document first."""
        read = self._body.read(await body_bytes())
        body = read.value
        request = _request(body, wanted_context())
        ignored = (*read.unknown, *(f"options.{name}" for name in merge(request.options).ignored))
        relevance = (await self._engine.rerank(request)).relevance
        texts = request.documents if body.return_documents else ()
        answer = schema.RerankAnswer(
            f"rerank-{secrets.token_hex(12)}",
            body.model,
            _results(relevance.scores, texts)[: body.top_n or None],
            schema.EmbeddingUsage(relevance.prompt_tokens, relevance.prompt_tokens),
        )
        return json_response(answer, headers=report_headers(ignored=ignored, notices=notice_codes(relevance.notices)))


def _request(body: schema.RerankRequest, num_ctx: int | None) -> RerankRequest:
    if not body.model.strip():
        raise InvalidInput("model is required")
    if not body.query:
        raise InvalidInput("query is required")
    if body.top_n < 0:
        raise InvalidInput(f"top_n must be a number of documents, not {body.top_n}")
    options = {**body.options, **({"num_ctx": num_ctx} if num_ctx is not None else {})}
    return RerankRequest(
        model=body.model.strip(),
        query=body.query,
        documents=_documents(body.documents),
        truncate=body.truncate,
        options=json_object(options),
        keep_alive_s=keep_alive_s(body.keep_alive),
    )


def _documents(given: list[str | schema.DocumentText]) -> tuple[str, ...]:
    if not given:
        raise InvalidInput("documents is required: a list of at least one text")
    return tuple(document if isinstance(document, str) else document.text for document in given)


def _results(scores: Sequence[float], texts: Sequence[str]) -> list[schema.RankedDocument]:
    """Return the documents, the best first; equal ones keep their order."""
    order = sorted(range(len(scores)), key=lambda index: -scores[index])
    return [schema.RankedDocument(index, scores[index], schema.DocumentText(texts[index]) if texts else None) for index in order]
