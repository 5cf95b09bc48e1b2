"""The native API as one app."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from quart import Response

from corral_api.ollama import schema
from corral_api.ollama.answering import Answering
from corral_api.ollama.embedding import Embedding
from corral_api.ollama.models import Models
from corral_api.ollama.system import system_routes
from corral_api.ollama.transfers import Transfers
from corral_api.routes import add_routes
from corral_api.web import json_response, new_app

if TYPE_CHECKING:
    from quart import Quart

    from corral.api import Engine
    from corral_api.problems import Problem
    from corral_api.routes import Route


def all_routes(engine: Engine) -> list[Route]:
    """Return everything the native API answers on."""
    return [
        *Answering(engine).routes(),
        *Embedding(engine).routes(),
        *Models(engine).routes(),
        *Transfers(engine.library).routes(),
        *system_routes(),
    ]


def build_app(engine: Engine) -> Quart:
    """Return the app of the native API."""
    app = new_app(__name__, write_problem)
    add_routes(app, all_routes(engine))
    return app


def write_problem(problem: Problem) -> Response:
    """Return an error in the native shape; routing errors are plain text, as clients of Ollama know them."""
    headers = {"Retry-After": str(math.ceil(problem.retry_after_s))} if problem.retry_after_s else {}
    if problem.is_routing:
        return Response(problem.message, problem.status, headers, content_type="text/plain; charset=utf-8")
    return json_response(schema.ErrorOut(problem.message), problem.status, headers=headers)
