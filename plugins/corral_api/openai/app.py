"""OpenAI's API as one app."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from corral_api.openai.chat import Chat
from corral_api.openai.completions import Completions
from corral_api.openai.embeddings import Embeddings
from corral_api.openai.models import Models
from corral_api.openai.rerank import Reranking
from corral_api.openai.responses.handling import Responses
from corral_api.openai.writing import PING, error_out
from corral_api.routes import add_routes
from corral_api.web import json_response, new_app

if TYPE_CHECKING:
    from quart import Quart, Response

    from corral.api import Engine
    from corral_api.problems import Problem
    from corral_api.routes import Route


def all_routes(engine: Engine) -> list[Route]:
    """Return everything OpenAI's API answers on."""
    return [
        *Chat(engine).routes(),
        *Completions(engine).routes(),
        *Embeddings(engine).routes(),
        *Reranking(engine).routes(),
        *Responses(engine).routes(),
        *Models(engine.library).routes(),
    ]


def build_app(engine: Engine) -> Quart:
    """Return the app of OpenAI's API."""
    app = new_app(__name__, write_problem, PING)
    add_routes(app, all_routes(engine))
    return app


def write_problem(problem: Problem) -> Response:
    """Return an error in OpenAI's shape."""
    headers = {"Retry-After": str(math.ceil(problem.retry_after_s))} if problem.retry_after_s else {}
    return json_response(error_out(problem), problem.status, headers=headers)
