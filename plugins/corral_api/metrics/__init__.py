"""Show how the server is doing: Prometheus metrics, health and readiness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import ApiOffer, Capabilities

if TYPE_CHECKING:
    from corral.api import ASGIApplication, Engine
    from corral.settings import Settings


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer three paths for those who watch."""
    offer = ApiOffer(
        name="metrics",
        paths=("/metrics", "/healthz", "/readyz"),
        summary="Prometheus metrics, health and readiness",
        open_paths=("/healthz", "/readyz"),
        read_paths=("/metrics",),
    )
    return Capabilities(api_version=API_VERSION, apis=(offer,))


@hookimpl
def create_app(engine: Engine, settings: Settings) -> ASGIApplication:  # noqa: ARG001 - the hook names both
    """Return the app of metrics."""
    from corral_api.metrics.app import build_app

    return build_app(engine)
