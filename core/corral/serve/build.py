"""Put the house together: library, devices, scheduler and engine, made here and handed down."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from corral.discovery import Discovery, LiveRunners, watch
from corral.engine import CorralEngine
from corral.library import open_library
from corral.placement import Planner
from corral.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from corral.devices import Device, Placement
    from corral.plugins import PluginHost
    from corral.runners import Runner
    from corral.settings import Settings
    from corral.spec import ModelSpec


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
        # Blobs that a crash left behind; the store spares young ones and downloads that can go on.
        await asyncio.to_thread(library.prune)
        yield CorralEngine(library=library, host=host, scheduler=scheduler, devices=look, settings=settings)
