"""Anthropic's API as one app."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from corral_api.anthropic.messages import Messages
from corral_api.anthropic.writing import PING, error_out
from corral_api.routes import add_routes
from corral_api.web import json_response, new_app, request_id

if TYPE_CHECKING:
    from quart import Quart, Response

    from corral.api import Engine
    from corral_api.problems import Problem
    from corral_api.routes import Route


def all_routes(engine: Engine) -> list[Route]:
    """Return everything Anthropic's API answers on."""
    return Messages(engine).routes()


def build_app(engine: Engine) -> Quart:
    """Return the app of Anthropic's API."""
    app = new_app(__name__, write_problem, PING)
    add_routes(app, all_routes(engine))
    return app


def write_problem(problem: Problem) -> Response:
    """Return an error in Anthropic's shape."""
    headers = {"Retry-After": str(math.ceil(problem.retry_after_s))} if problem.retry_after_s else {}
    return json_response(error_out(problem, request_id()), problem.status, headers=headers)
