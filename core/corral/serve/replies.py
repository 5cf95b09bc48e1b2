"""Short answers that the server gives by itself, without any API."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corral.api import Send

    Headers: TypeAlias = Iterable[tuple[bytes, bytes]]


async def send_text(send: Send, status: int, text: str, headers: Headers = ()) -> None:
    """Answer with plain text."""
    await _send(send, status, b"text/plain; charset=utf-8", text.encode(), headers)


async def send_error(send: Send, status: int, message: str, headers: Headers = ()) -> None:
    """Answer with an error in the shape that clients of Ollama read, and others do not mind."""
    await _send(send, status, b"application/json; charset=utf-8", msgspec.json.encode({"error": message}), headers)


async def send_empty(send: Send, status: int, headers: Headers = ()) -> None:
    """Answer with a status and headers only."""
    await _start(send, status, [*headers, (b"content-length", b"0")])
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send(send: Send, status: int, content_type: bytes, body: bytes, headers: Headers) -> None:
    length = str(len(body)).encode()
    await _start(send, status, [*headers, (b"content-type", content_type), (b"content-length", length)])
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _start(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
