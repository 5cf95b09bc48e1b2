"""What is common to the web side of all dialects: a Quart app with our limits, JSON in and out, errors in the dialect's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec
from quart import Quart, Response, request
from werkzeug.exceptions import HTTPException

from corral.errors import InvalidInput
from corral_api.heartbeat import HEARTBEAT, BeatingConnection
from corral_api.problems import Problem, problem_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping

    from corral.events import Diagnostic
    from corral.runners import Notice

#: Writes an error in a dialect's own shape.
ProblemWriter: TypeAlias = "Callable[[Problem], Response]"

JSON = "application/json; charset=utf-8"
EVENT_STREAM = "text/event-stream"
NDJSON = "application/x-ndjson"


def new_app(name: str, write_problem: ProblemWriter, heartbeat: bytes = b"") -> Quart:
    """Return an app whose errors all come out in the dialect's shape, and whose event streams beat while they are silent.

    The beat is the app's: routes that an app of somebody else mounts have none.
    """
    app = Quart(name, static_folder=None)
    if heartbeat:
        app.config[HEARTBEAT] = heartbeat
        app.asgi_http_class = BeatingConnection
    # Quart cuts a response after 60 s and a body at 16 MB by itself; the guard around all dialects has the real limits.
    app.config.update(RESPONSE_TIMEOUT=None, BODY_TIMEOUT=None, MAX_CONTENT_LENGTH=None, PROVIDE_AUTOMATIC_OPTIONS=False)
    app.url_map.strict_slashes = False

    async def on_error(error: Exception) -> Response:
        if isinstance(error, HTTPException):
            return write_problem(_routing_problem(error))
        return write_problem(problem_of(error))

    app.register_error_handler(Exception, on_error)
    return app


def _routing_problem(error: HTTPException) -> Problem:
    status = error.code or 500
    texts = {404: "404 page not found", 405: "405 method not allowed"}
    return Problem(status=status, message=texts.get(status, error.name.lower()), is_routing=status in texts)


async def body_bytes() -> bytes:
    """Return the body of the current request."""
    data = await request.get_data(cache=False)
    assert isinstance(data, bytes)
    return data


def request_id() -> str:
    """Return the id that the server gave the current request; empty outside of `corral serve`."""
    return str(request.scope.get("corral.request_id", ""))


def wanted_context() -> int | None:
    """Return the context that the header x-corral-num-ctx asks for, for dialects that have no field for it."""
    text = request.headers.get("x-corral-num-ctx")
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidInput(f"the header x-corral-num-ctx must be a number of tokens, not '{text[:20]}'") from None


def json_response(value: object, status: int = 200, *, headers: Mapping[str, str] | None = None, content_type: str = JSON) -> Response:
    """Return a value as a JSON document."""
    return Response(msgspec.json.encode(value), status, dict(headers or {}), content_type=content_type)


def stream_response(chunks: AsyncGenerator[bytes, None], content_type: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return chunks as they come; the generator is closed when the client goes away."""
    response = Response(chunks, 200, {"Cache-Control": "no-cache", **(headers or {})}, content_type=content_type)
    # The app's own setting would do, but an app of somebody else may mount our routes.
    response.timeout = None
    return response


def report_headers(*, ignored: tuple[str, ...] = (), notices: str = "") -> dict[str, str]:
    """Return headers that tell what was not done as asked: fields without effect, and codes of notices."""
    headers: dict[str, str] = {}
    if ignored:
        headers["x-corral-ignored"] = ", ".join(_printable(name) for name in ignored[:32])
    if notices:
        headers["x-corral-notice"] = notices
    return headers


def notice_codes(notices: Iterable[Notice | Diagnostic]) -> str:
    """Return the codes of notices, as a header shows them."""
    return ", ".join(dict.fromkeys(notice.code for notice in notices))


def _printable(name: str) -> str:
    """Return a client's own key in a form that fits a header."""
    return "".join(char if (char.isalnum() and char.isascii()) or char in "_-." else "?" for char in name[:64])
