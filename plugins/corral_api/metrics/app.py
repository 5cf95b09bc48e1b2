"""The routes for those who watch, as one app."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from quart import Response, request

from corral_api.metrics import schema
from corral_api.metrics.exposition import CONTENT_TYPE, device_figures, exposition, model_figures
from corral_api.routes import Route, add_routes
from corral_api.web import json_response, new_app

if TYPE_CHECKING:
    from quart import Quart

    from corral.api import Engine
    from corral_api.problems import Problem

_log = logging.getLogger("corral.api")

#: A scrape is worth more without the devices than late.
_DEVICES_S = 2.0


def all_routes(engine: Engine) -> list[Route]:
    """Return everything that those who watch can ask."""
    return Watching(engine).routes()


def build_app(engine: Engine) -> Quart:
    """Return the app."""
    app = new_app(__name__, write_problem)
    add_routes(app, all_routes(engine))
    return app


def write_problem(problem: Problem) -> Response:
    """Return an error as JSON."""
    return json_response(schema.ErrorOut(problem.message), problem.status)


class Watching:
    """Tells how an engine and its server are doing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def routes(self) -> list[Route]:
        """Return the routes for those who watch."""
        return [
            Route(method="GET", path="/metrics", handle=self.metrics, summary="Return figures in Prometheus' text format"),
            Route(method="GET", path="/healthz", handle=self.health, summary="Say that the server is there", gives=schema.HealthAnswer),
            Route(method="GET", path="/readyz", handle=self.readiness, summary="Say whether requests are taken", gives=schema.HealthAnswer),
        ]

    async def metrics(self) -> Response:
        """Answer GET /metrics."""
        server = request.scope.get("corral.statistics")
        figures = {
            **self._engine.statistics(),
            **(server() if callable(server) else {}),
            **model_figures(self._engine.running()),
            **await self._devices(),
        }
        return Response(exposition(figures), content_type=CONTENT_TYPE)

    async def health(self) -> Response:
        """Answer GET /healthz."""
        return json_response(schema.HealthAnswer("ok"))

    async def readiness(self) -> Response:
        """Answer GET /readyz; a server that stops is not ready."""
        stopping = bool(request.scope.get("corral.is_draining"))
        return json_response(schema.HealthAnswer("stopping" if stopping else "ok"), 503 if stopping else 200)

    async def _devices(self) -> dict[str, float]:
        try:
            async with asyncio.timeout(_DEVICES_S):
                return device_figures(await self._engine.devices())
        except TimeoutError:
            _log.warning("devices took longer than %g s; this scrape goes without them", _DEVICES_S)
            return {}
