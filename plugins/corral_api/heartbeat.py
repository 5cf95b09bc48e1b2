"""Show that a stream is alive while its model is silent, so that nothing between server and client cuts it."""

from __future__ import annotations

import asyncio
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
        """Answer a request; a client that takes no beat any more ends it as one that takes no answer would."""
        try:
            async with asyncio.TaskGroup() as group:
                beating = Beating(send, self.app.config[HEARTBEAT], group)
                try:
                    await super().handle_request(request, beating)
                finally:
                    beating.stop()
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures


class Beating:
    """A send that adds a beat whenever an event stream has said nothing for a while. What is sent must be whole events."""

    def __init__(self, send: Send, beat: bytes, group: asyncio.TaskGroup) -> None:
        self._send = send
        self._beat = beat
        self._group = group
        self._task: asyncio.Task[None] | None = None
        self._is_over = False
        #: Messages that are on their way, and when the last one was out.
        self._sending = 0
        self._said_at = 0.0

    async def __call__(self, message: Any) -> None:
        """Send a message of an answer."""
        if message["type"] == "http.response.start":
            if _is_event_stream(message):
                self._task = self._group.create_task(self._keep_alive())
        elif not message.get("more_body", False):
            self.stop()
        self._sending += 1
        try:
            await self._send(message)
        finally:
            self._sending -= 1
            self._said_at = asyncio.get_running_loop().time()

    def stop(self) -> None:
        """Beat no more."""
        self._is_over = True
        if self._task is not None:
            self._task.cancel()

    async def _keep_alive(self) -> None:
        time = asyncio.get_running_loop().time
        while not self._is_over:
            silent_s = 0.0 if self._sending else time() - self._said_at
            if silent_s >= PING_S and not self._sending:
                await self({"type": "http.response.body", "body": self._beat, "more_body": True})
            await asyncio.sleep(PING_S - min(silent_s, PING_S))


def _is_event_stream(message: Any) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(_EVENT_STREAM) for name, value in message["headers"])
