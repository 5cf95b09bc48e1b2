"""The OpenAPI document and its page as one app."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from quart import Response, request

from corral_api.anthropic import app as anthropic
from corral_api.anthropic import schema as anthropic_schema
from corral_api.metrics import app as metrics
from corral_api.metrics import schema as metrics_schema
from corral_api.ollama import app as ollama
from corral_api.ollama import schema as ollama_schema
from corral_api.openai import app as openai
from corral_api.openai import schema as openai_schema
from corral_api.openapi.document import Dialect, document
from corral_api.openapi.page import page
from corral_api.routes import Route, add_routes
from corral_api.web import EVENT_STREAM, NDJSON, json_response, new_app

if TYPE_CHECKING:
    from quart import Quart

    from corral.api import Engine
    from corral.conversation import JsonObject
    from corral.spec import ApiOffer


def build_app(engine: Engine) -> Quart:
    """Return the app."""
    app = new_app(__name__, metrics.write_problem)
    add_routes(app, Describing(engine).routes())
    return app


class Describing:
    """Describes the dialects that are mounted beside it."""

    def __init__(self, engine: Engine) -> None:
        self._dialects = (
            Dialect(name="ollama", routes=ollama.all_routes(engine), error=ollama_schema.ErrorOut, stream_type=NDJSON),
            Dialect(name="openai", routes=openai.all_routes(engine), error=openai_schema.ErrorOut, stream_type=EVENT_STREAM),
            Dialect(name="anthropic", routes=anthropic.all_routes(engine), error=anthropic_schema.ErrorOut, stream_type=EVENT_STREAM),
            Dialect(name="metrics", routes=metrics.all_routes(engine), error=metrics_schema.ErrorOut, stream_type=EVENT_STREAM),
        )

    def routes(self) -> list[Route]:
        """Return the routes of the document."""
        return [
            Route(method="GET", path="/openapi.json", handle=self.document, summary="Return the OpenAPI document"),
            Route(method="GET", path="/docs", handle=self.page, summary="Return the document as a page"),
        ]

    async def document(self) -> Response:
        """Answer GET /openapi.json."""
        return json_response(self._document())

    async def page(self) -> Response:
        """Answer GET /docs; the page may load nothing but its own style."""
        headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return Response(page(self._document()), 200, headers, content_type="text/html; charset=utf-8")

    def _document(self) -> JsonObject:
        offers = cast("tuple[ApiOffer, ...]", request.scope.get("corral.offers", ()))
        mounted = {offer.name for offer in offers} or {dialect.name for dialect in self._dialects}
        known = {dialect.name for dialect in self._dialects}
        return document(
            [dialect for dialect in self._dialects if dialect.name in mounted],
            [offer for offer in offers if offer.name not in known],
        )
