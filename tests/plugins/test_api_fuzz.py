"""Bodies that nobody would send on purpose: always an answer, never a server error."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.testing.api import ScriptedEngine
from corral_api.anthropic.app import all_routes as anthropic_routes
from corral_api.anthropic.app import build_app as anthropic_app
from corral_api.ollama.app import all_routes as ollama_routes
from corral_api.ollama.app import build_app as ollama_app
from corral_api.openai.app import all_routes as openai_routes
from corral_api.openai.app import build_app as openai_app

if TYPE_CHECKING:
    from quart import Quart

    from corral_api.routes import Route

DIALECTS = ((ollama_app, ollama_routes), (openai_app, openai_routes), (anthropic_app, anthropic_routes))
ENGINE = ScriptedEngine()
CASES = [(build(ENGINE), route) for build, routes in DIALECTS for route in routes(ENGINE) if route.takes]

TEXTS = st.text(max_size=8) | st.sampled_from(["test", "user", "json"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8)


def bodies(route: Route) -> st.SearchStrategy[dict[str, object]]:
    """Return objects with the route's own keys, each of any type, most of them absent."""
    assert route.takes is not None
    names = [field.encode_name for field in msgspec.structs.fields(route.takes)]
    inner = st.dictionaries(st.sampled_from([*names, "role", "content", "type", "function", "text"]), JSON, max_size=4)
    values = JSON | inner | st.lists(inner, max_size=2)
    return st.dictionaries(st.sampled_from(names), values, max_size=5).map(lambda body: {"model": "test", **body})


async def status(app: Quart, route: Route, data: bytes) -> int:
    response = await app.test_client().open(route.path, method=route.method, data=data)
    await response.get_data()
    return response.status_code


@pytest.mark.parametrize(("app", "route"), CASES, ids=[f"{route.method} {route.path}" for _, route in CASES])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_json_of_any_shape_is_never_a_server_error(app: Quart, route: Route, data: st.DataObject) -> None:
    """F98, F100."""
    body = msgspec.json.encode(data.draw(bodies(route)))

    assert asyncio.run(status(app, route, body)) < 500


@pytest.mark.parametrize(("app", "route"), CASES, ids=[f"{route.method} {route.path}" for _, route in CASES])
@settings(max_examples=10, deadline=None)
@given(body=st.binary(max_size=64))
def test_bytes_of_any_kind_are_a_client_error(app: Quart, route: Route, body: bytes) -> None:
    """F100."""
    assert 400 <= asyncio.run(status(app, route, body)) < 500
