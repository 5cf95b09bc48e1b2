"""Run the whole house with a runner that plays a coder: `python scripted_server.py HOME` prints the URL and serves until killed.

The prompt that the runner gets is the qwen3-coder renderer's, and its output goes through the qwen3-coder parser; only the
model itself is played.
"""

from __future__ import annotations

import asyncio
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from coder import play

from corral.api import CreateRequest
from corral.devices import Device, DeviceKind
from corral.keys import KeyFile
from corral.plugins import PluginHost
from corral.serve.build import open_engine
from corral.serve.listening import open_socket, serve_on
from corral.serve.server import guarded
from corral.settings import Settings
from corral.testing import scripted_spawn, tiny_gguf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from corral.api import Library


async def main(home: Path) -> None:
    """Serve until killed."""
    settings = Settings(host="127.0.0.1:0", home=home, models=home / "models", context_length=65536)
    host = PluginHost.load(())
    keys = KeyFile(home / "keys.json")
    async with open_engine(settings, host, spawn=scripted_spawn(play), devices=_devices) as engine:
        await _install(engine.library, tiny_gguf(home / "coder.gguf", metadata={"llama.context_length": 131072}).read_bytes())
        guard = guarded(host, engine, settings, keys)
        await serve_on(open_socket(settings, keys), guard, settings, stop=asyncio.Event(), announce=lambda url: print(url, flush=True))


async def _devices() -> Sequence[Device]:
    memory = 16 * 1024**3
    runners = frozenset({"llama-cpp"})
    return [Device(backend="cpu", id="0", name="CPU", kind=DeviceKind.CPU, total_bytes=memory, free_bytes=memory, runners=runners)]


async def _install(library: Library, data: bytes) -> None:
    digest = f"sha256:{sha256(data).hexdigest()}"

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    await library.add_blob(digest, chunks())
    request = CreateRequest(model="coder", files={"coder.gguf": digest}, renderer="qwen3-coder", parser="qwen3-coder")
    async for _ in library.create(request):
        pass


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
