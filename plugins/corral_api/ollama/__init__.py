"""Speak Ollama's native API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import ApiOffer, Capabilities

if TYPE_CHECKING:
    from corral.api import ASGIApplication, Engine
    from corral.settings import Settings


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the native API; it also answers on paths that nobody else wants, as Ollama does."""
    offer = ApiOffer(
        name="ollama",
        paths=("/",),
        summary="Ollama's native API under /api",
        open_paths=("/",),
        infer_paths=("/api/chat", "/api/generate", "/api/embed", "/api/embeddings"),
        read_paths=("/api/tags", "/api/ps", "/api/show", "/api/version", "/api/status"),
        upload_paths=("/api/blobs/",),
    )
    return Capabilities(api_version=API_VERSION, apis=(offer,))


@hookimpl
def create_app(engine: Engine, settings: Settings) -> ASGIApplication:  # noqa: ARG001 - the hook names both
    """Return the app of the native API."""
    from corral_api.ollama.app import build_app

    return build_app(engine)
