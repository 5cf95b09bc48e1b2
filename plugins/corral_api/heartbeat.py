"""Show that a stream is alive while its model is silent, so that nothing between server and client cuts it."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

from quart.asgi import ASGIHTTPConnection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from quart import Request

    Send = Callable[[Any], Awaitable[None]]

#: Seconds of silence after which a stream gives a sign of life.
PING_S = 10.0
#: What an app's config calls the bytes of its sign of life.
HEARTBEAT = "CORRAL_HEARTBEAT"

_EVENT_STREAM = b"text/event-stream"


class BeatingConnection(ASGIHTTPConnection):
    """A connection of a Quart app that keeps event streams alive; the app's config has the beat."""

    async def handle_request(self, request: Request, send: Send) -> None:
        """Answer a request."""
        beating = Beating(send, self.app.config[HEARTBEAT])
        try:
            await super().handle_request(request, beating)
        finally:
            await beating.stop()


class Beating:
    """A send that adds a beat whenever an event stream has said nothing for a while. What is sent must be whole events."""

    def __init__(self, send: Send, beat: bytes) -> None:
        self._send = send
        self._beat = beat
        #: When the last message was out; inf while one is on its way.
        self._said_at = math.inf
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, message: Any) -> None:
        """Send a message of an answer."""
        if self._task is None and message["type"] == "http.response.start" and _is_event_stream(message):
            self._task = asyncio.create_task(self._keep_alive())
        elif self._task is not None and not message.get("more_body", True):
            await self.stop()
        self._said_at = math.inf
        await self._send(message)
        self._said_at = asyncio.get_running_loop().time()

    async def stop(self) -> None:
        """Beat no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                # A beat that could not be sent; the answer itself tells of its client's end.
                task.exception()

    async def _keep_alive(self) -> None:
        time = asyncio.get_running_loop().time
        while True:
            silent_s = time() - self._said_at
            if silent_s >= PING_S:
                await self({"type": "http.response.body", "body": self._beat, "more_body": True})
            await asyncio.sleep(PING_S - min(max(silent_s, 0), PING_S))


def _is_event_stream(message: Any) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(_EVENT_STREAM) for name, value in message["headers"])
