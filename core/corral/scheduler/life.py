"""One runner's context manager, held open until it is told to stop or its process dies."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from corral.errors import LoadFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from corral.runners import Runner

#: A runner's own context manager ends its process within its own limits; this one is for a plugin that does not.
_STOP_LIMIT_S = 30.0


@dataclass(slots=True, kw_only=True)
class Life:
    """What the shell knows of a runner: the runner once it is ready, and how it ends."""

    runner: Runner | None = None
    #: Set to stop it; holds the reason when it died by itself.
    over: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    #: Free bytes of the devices while it was alive.
    before: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def end(self, reason: str = "") -> None:
        """Let it stop; the first reason counts."""
        if not self.over.done():
            self.over.set_result(reason)

    async def watch(self, runner: Runner) -> None:
        """Wait until the process is gone by itself."""
        try:
            self.end(await runner.wait_closed() or "the runner stopped by itself")
        except Exception as error:  # noqa: BLE001 -- a runner is a plugin's code
            self.end(f"it can't be watched: {type(error).__name__}: {error}")


@asynccontextmanager
async def in_time(spawned: AbstractAsyncContextManager[Runner], load_limit_s: float | None) -> AsyncIterator[Runner]:
    """Enter a runner's context manager and leave it; raise LoadFailed and TimeoutError when that takes too long."""
    stack, limit = AsyncExitStack(), asyncio.timeout(load_limit_s)
    try:
        async with limit:
            runner = await stack.enter_async_context(spawned)
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise LoadFailed(f"the runner was not ready after {load_limit_s or 0:.0f} s (CORRAL_LOAD_TIMEOUT)") from error
    try:
        yield runner
    finally:
        async with asyncio.timeout(_STOP_LIMIT_S):
            await stack.aclose()
