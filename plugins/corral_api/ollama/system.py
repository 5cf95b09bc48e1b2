"""What the native API says about the server itself, and about Ollama's cloud, which is not here."""

from __future__ import annotations

from importlib.metadata import version

from quart import Response

from corral.errors import Refused
from corral_api.ollama import schema
from corral_api.routes import Route
from corral_api.web import json_response

#: The version of Ollama whose API this is: clients compare it with the one they need.
OLLAMA_VERSION = "0.34.1"

_CLOUD_ROUTES = (
    ("POST", "/api/me"),
    ("POST", "/api/signout"),
    ("DELETE", "/api/user/keys/<key>"),
    ("POST", "/api/experimental/web_search"),
    ("POST", "/api/experimental/web_fetch"),
)


def system_routes() -> list[Route]:
    """Return the routes that answer without a model."""
    return [
        Route(method="GET", path="/", handle=root, summary="Say that the server is there"),
        Route(
            method="GET",
            path="/api/version",
            handle=api_version,
            summary="Return the Ollama version whose API this is, and corral's own",
            gives=schema.VersionAnswer,
        ),
        Route(
            method="GET",
            path="/api/status",
            handle=cloud_status,
            summary="Return whether Ollama's cloud is used (never)",
            gives=schema.StatusAnswer,
        ),
        Route(
            method="GET",
            path="/api/experimental/model-recommendations",
            handle=recommendations,
            summary="Return recommended models (none)",
            gives=schema.Recommendations,
        ),
        *(
            Route(method=method, path=path, handle=no_cloud, summary="Refuse: corral has no cloud", status=403, gives=schema.ErrorOut)
            for method, path in _CLOUD_ROUTES
        ),
    ]


async def root() -> Response:
    """Answer GET /, by which clients see that a server is there."""
    return Response("Ollama is running", content_type="text/plain; charset=utf-8")


async def api_version() -> Response:
    """Answer GET /api/version."""
    return json_response(schema.VersionAnswer(OLLAMA_VERSION, version("corral")))


async def cloud_status() -> Response:
    """Answer GET /api/status."""
    return json_response(schema.StatusAnswer(schema.CloudState(disabled=True, source="config")))


async def recommendations() -> Response:
    """Answer GET /api/experimental/model-recommendations."""
    return json_response(schema.Recommendations())


async def no_cloud(key: str = "") -> Response:  # noqa: ARG001 - one answer for all of them
    """Refuse a request that is meant for ollama.com."""
    raise Refused("corral has no cloud: models run here, and accounts, web search and web fetch of ollama.com are not offered")
