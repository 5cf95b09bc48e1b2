"""Describe the server's APIs: an OpenAPI document and a page to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import ApiOffer, Capabilities

if TYPE_CHECKING:
    from corral.api import ASGIApplication, Engine
    from corral.settings import Settings


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the document and the page."""
    paths = ("/openapi.json", "/docs")
    offer = ApiOffer(name="openapi", paths=paths, summary="OpenAPI document and a page to read", read_paths=paths)
    return Capabilities(api_version=API_VERSION, apis=(offer,))


@hookimpl
def create_app(engine: Engine, settings: Settings) -> ASGIApplication:  # noqa: ARG001 - the hook names both
    """Return the app of the document."""
    from corral_api.openapi.app import build_app

    return build_app(engine)
