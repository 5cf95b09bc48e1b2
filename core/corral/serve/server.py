"""A running server: the engine, every selected API mounted on it, and the guard around them."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from corral.keys import VARIABLE, KeyFile
from corral.serve.build import open_engine
from corral.serve.guard import Guard
from corral.serve.listening import open_socket, serve_on
from corral.serve.logs import set_up_logs
from corral.serve.mount import Mount, Mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from corral.api import Engine
    from corral.plugins import PluginHost
    from corral.settings import Settings

#: Python's own 700 made the collector a tenth of the server's work.
_OBJECTS_BETWEEN_COLLECTIONS = 10_000


async def serve_in_foreground(settings: Settings, host: PluginHost) -> None:
    """Serve in the foreground until the process is told to stop; say on stderr where."""
    set_up_logs(settings)

    def announce(url: str) -> None:
        _settle_down()
        print(f"corral is listening on {url} (Ctrl-C stops it)", file=sys.stderr, flush=True)  # noqa: T201 - for the person in front of it

    async with _stop_signal() as stop:
        await run_server(settings, host, stop=stop, announce=announce)


def _settle_down() -> None:
    """Spare the collector what stays as long as the server does: going over it again holds answers up for 15 ms."""
    gc.collect()
    gc.freeze()
    # Each event of an answer is a few objects, and hardly any of them are cycles.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


async def run_server(settings: Settings, host: PluginHost, *, stop: asyncio.Event, announce: Callable[[str], None]) -> None:
    """Serve until `stop` is set; `announce` is told the URL before connections are taken. Raises Refused."""
    keys = key_file(settings)
    with open_socket(settings, keys) as listener:
        async with open_engine(settings, host) as engine:
            guard = guarded(host, engine, settings, keys)
            await serve_on(listener, guard, settings, stop=stop, announce=announce)


def key_file(settings: Settings) -> KeyFile:
    """Return the keys of a server with these settings."""
    return KeyFile(settings.home / "keys.json", secret=os.environ.get(VARIABLE, ""))


def guarded(host: PluginHost, engine: Engine, settings: Settings, keys: KeyFile) -> Guard:
    """Return the app of all APIs that the plugins offer, guarded."""
    apis = [Mounted(offer, host.create_app(name, engine, settings), host.provider("api", name)) for name, offer in host.apis().items()]
    return Guard(Mount(apis), settings, keys)


@asynccontextmanager
async def _stop_signal() -> AsyncIterator[asyncio.Event]:
    """Yield an event that SIGINT and SIGTERM set; a second one of them then ends the process the hard way."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def on_signal() -> None:
        stop.set()
        for number in signals:
            loop.remove_signal_handler(number)

    for number in signals:
        loop.add_signal_handler(number, on_signal)
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
