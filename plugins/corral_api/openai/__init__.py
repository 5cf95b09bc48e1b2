"""Speak OpenAI's API: chat completions, completions, embeddings, rerank, models and responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import ApiOffer, Capabilities

if TYPE_CHECKING:
    from corral.api import ASGIApplication, Engine
    from corral.settings import Settings

_INFER = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/rerank", "/v2/rerank", "/v1/responses")


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the API below /v1, and Cohere's path of rerank."""
    offer = ApiOffer(
        name="openai",
        paths=("/v1/", "/v2/rerank"),
        summary="OpenAI's chat completions, completions, embeddings, models and responses under /v1, and rerank",
        infer_paths=(*_INFER, "/v1/responses/"),
        read_paths=("/v1/models", "/v1/models/"),
    )
    return Capabilities(api_version=API_VERSION, apis=(offer,))


@hookimpl
def create_app(engine: Engine, settings: Settings) -> ASGIApplication:  # noqa: ARG001 - the hook names both
    """Return the app of OpenAI's API."""
    from corral_api.openai.app import build_app

    return build_app(engine)
