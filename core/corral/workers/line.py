"""The parent's end of the socket pair: frames in, frames out, and back-pressure both ways."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from corral.workers.frames import FrameSplitter

if TYPE_CHECKING:
    from collections.abc import Callable


class Line(asyncio.Protocol):
    """Hand each frame's body to `on_body`; `on_body` may raise ValueError to say that the child talks nonsense."""

    def __init__(self, on_body: Callable[[bytes], None], on_nonsense: Callable[[ValueError], None], on_closed: Callable[[], None]) -> None:
        self._on_body = on_body
        self._on_nonsense = on_nonsense
        self._on_closed = on_closed
        self._splitter = FrameSplitter()
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    @property
    def is_open(self) -> bool:
        """Return whether the child may still be listening."""
        return self._transport is not None and not self._transport.is_closing()

    def write(self, frame: bytes) -> None:
        """Send a frame, or nothing when the line is closed."""
        if self._transport is not None and self.is_open:
            self._transport.write(frame)

    async def drain(self) -> None:
        """Wait until the child has read most of what was sent, or is gone."""
        await self._writable.wait()

    def close(self) -> None:
        """Hang up; the child sees the end of its input."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (called by asyncio)."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Cut what arrived into frames (called by asyncio)."""
        try:
            for body in self._splitter.feed(data):
                self._on_body(body)
        except ValueError as error:
            self.close()
            self._on_nonsense(error)

    def pause_writing(self) -> None:
        """Hold senders up (called by asyncio)."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let senders go on (called by asyncio)."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio passes it
        """Tell that nothing more will come (called by asyncio)."""
        self._writable.set()
        self._on_closed()
