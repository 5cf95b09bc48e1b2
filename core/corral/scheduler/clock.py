"""Time as the scheduler needs it, so that tests can bring their own."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Timer(Protocol):
    """A call that will be made later."""

    def cancel(self) -> None:
        """Don't make it."""


class Clock(Protocol):
    """Two clocks: one that only goes forward, for deadlines, and the one on the wall, for people."""

    def now(self) -> float:
        """Return seconds that never jump."""

    def today(self) -> datetime:
        """Return the time of day, with its zone."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back at a time of `now`."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The clock of the machine and its event loop."""

    def now(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()

    def today(self) -> datetime:
        """Return the time of day."""
        return datetime.now(UTC)

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back at a time of `now`."""
        return asyncio.get_running_loop().call_later(max(0.0, when - self.now()), callback)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
