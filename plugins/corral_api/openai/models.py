"""Which routes list installed models."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from corral_api.openai import schema
from corral_api.routes import Route
from corral_api.web import json_response

if TYPE_CHECKING:
    from quart import Response

    from corral.api import Library, ModelSummary


class Models:
    """Answers questions about installed models. The store blocks, so it is asked in a thread."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def routes(self) -> list[Route]:
        """Return the routes about models."""
        return [
            Route(method="GET", path="/v1/models", handle=self.all, summary="List installed models", gives=schema.ModelsAnswer),
            Route(method="GET", path="/v1/models/<path:name>", handle=self.one, summary="Return one model", gives=schema.ModelOut),
        ]

    async def all(self) -> Response:
        """Answer GET /v1/models."""
        summaries = await asyncio.to_thread(self._library.summaries)
        models = [_model(summary.name, summary) for summary in summaries]
        first, last = (models[0].id, models[-1].id) if models else (None, None)
        return json_response(schema.ModelsAnswer(models, first, last))

    async def one(self, name: str) -> Response:
        """Answer GET /v1/models/NAME; a name may hold slashes."""
        details = await asyncio.to_thread(self._library.show, name)
        return json_response(_model(name, details.summary))


def _model(name: str, summary: ModelSummary) -> schema.ModelOut:
    namespace = summary.name.rpartition("/")[0].rpartition("/")[2]
    created_at = summary.modified_at
    return schema.ModelOut(name, int(created_at.timestamp()), namespace or "library", name, created_at)
