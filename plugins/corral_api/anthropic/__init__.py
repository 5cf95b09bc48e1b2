"""Speak Anthropic's Messages API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import ApiOffer, Capabilities

if TYPE_CHECKING:
    from corral.api import ASGIApplication, Engine
    from corral.settings import Settings


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer messages and the counting of their tokens."""
    paths = ("/v1/messages", "/v1/messages/")
    offer = ApiOffer(name="anthropic", paths=paths, summary="Anthropic's messages under /v1/messages", infer_paths=paths)
    return Capabilities(api_version=API_VERSION, apis=(offer,))


@hookimpl
def create_app(engine: Engine, settings: Settings) -> ASGIApplication:  # noqa: ARG001 - the hook names both
    """Return the app of Anthropic's API."""
    from corral_api.anthropic.app import build_app

    return build_app(engine)
