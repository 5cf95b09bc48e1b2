"""A real server on a free loopback port, in a thread of its own, for tests with real clients."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING

from corral.serve.guard import Guard
from corral.serve.listening import open_socket, serve_on
from corral.serve.mount import Mount, Mounted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

    from corral.api import Engine
    from corral.keys import KeyFile
    from corral.settings import Settings


def mount_plugins(plugins: Iterable[ModuleType], engine: Engine, settings: Settings) -> Mount:
    """Return the APIs of plugin modules, as the server mounts them."""
    offers = [(plugin, offer) for plugin in plugins for offer in plugin.declare_capabilities().apis]
    return Mount([Mounted(offer, plugin.create_app(engine, settings)) for plugin, offer in offers])


@contextmanager
def serving(mount: Mount, settings: Settings, keys: KeyFile) -> Iterator[str]:
    """Yield the URL of a guarded server; leaving the block stops it."""
    url: Future[str] = Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        listener = open_socket(settings, keys)
        await serve_on(listener, Guard(mount, settings, keys), settings, stop=stop, announce=url.set_result)

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            try:
                runner.run(serve())
            except BaseException as error:
                if url.done():
                    raise
                url.set_exception(error)

    thread = threading.Thread(target=run, name="test server", daemon=True)
    thread.start()
    try:
        yield url.result(timeout=10)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=30)
