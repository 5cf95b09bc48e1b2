"""Put the house together: library, devices, scheduler and engine, made here and handed down."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from corral.discovery import Discovery, LiveRunners, watch
from corral.engine import CorralEngine
from corral.errors import StoreError
from corral.library import open_library
from corral.placement import Planner
from corral.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from corral.devices import Device, Placement
    from corral.library import DiskLibrary
    from corral.plugins import PluginHost
    from corral.runners import Runner
    from corral.settings import Settings
    from corral.spec import ModelSpec

_log = logging.getLogger("corral.serve")


@asynccontextmanager
async def open_engine(
    settings: Settings,
    host: PluginHost,
    *,
    spawn: Callable[[ModelSpec, Placement], AbstractAsyncContextManager[Runner]] | None = None,
    devices: Callable[[], Awaitable[Sequence[Device]]] | None = None,
) -> AsyncIterator[CorralEngine]:
    """Yield an engine over the installed models; leaving the block stops every runner.

    `spawn` and `devices` take the place of the plugins' runners and devices, for tests.
    """

    def spawn_by_name(model: ModelSpec, placement: Placement) -> AbstractAsyncContextManager[Runner]:
        return live.keep(placement, watch(discovery, placement, host.spawn_runner(model, placement, settings)))

    live = LiveRunners()
    discovery = Discovery(host, settings, live_memory=live.free_bytes)
    look = devices or discovery.devices
    async with Scheduler(spawn=spawn or spawn_by_name, devices=look, plan=Planner(settings).plan, settings=settings) as scheduler:
        library = open_library(settings, host)
        await asyncio.to_thread(_tidy_up, library)
        yield CorralEngine(library=library, host=host, scheduler=scheduler, devices=look, settings=settings)


def _tidy_up(library: DiskLibrary) -> None:
    """Remove the blobs that a crash left behind; the store spares young ones and downloads that can go on."""
    try:
        library.prune()
    except StoreError as error:
        # Models of another user, or on a disk that can only be read, can be served all the same.
        _log.warning("nothing was tidied up in the store: %s", error)
