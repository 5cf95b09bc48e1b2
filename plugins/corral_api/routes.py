"""What a dialect answers on: a table that the app is built from, and the OpenAPI document too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    import msgspec
    from quart import Quart, Response

    Handler: TypeAlias = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method and a path (`/models/<name>`), who answers, and the structs of the two bodies; None for no JSON."""

    method: str
    path: str
    handle: Handler
    summary: str
    takes: type[msgspec.Struct] | None = None
    gives: type[msgspec.Struct] | None = None
    #: The struct of one line or event when the answer is streamed.
    streams: type[msgspec.Struct] | None = None
    status: int = 200


def add_routes(app: Quart, routes: Iterable[Route]) -> None:
    """Let an app answer on routes."""
    for route in routes:
        app.add_url_rule(route.path, f"{route.method} {route.path}", route.handle, methods=[route.method])
