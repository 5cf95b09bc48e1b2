"""What the server itself costs per streamed token: CPU time of its process, with a runner that plays a script.

    python bench/overhead.py [--tokens 500] [--streams 10]

The clients run in a process of their own. "http" is the API over an engine that only yields events; "house" adds what a real
request passes: scheduler, engine, template and parser. The target of "house" is 150 us per token.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from tables import Table

from corral.api import CreateRequest
from corral.devices import Device, DeviceKind
from corral.events import ContentDelta, Finish, Usage
from corral.keys import KeyFile
from corral.plugins import PluginHost
from corral.serve.build import open_engine
from corral.serve.guard import Guard
from corral.serve.listening import open_socket, serve_on
from corral.serve.server import guarded
from corral.settings import Settings
from corral.testing import scripted_spawn, tiny_gguf
from corral.testing.api import ScriptedEngine
from corral.testing.serving import mount_plugins
from corral_api import anthropic, ollama, openai

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from corral.api import Library, Request
    from corral.events import Event

PATHS = ("/api/chat", "/v1/chat/completions", "/v1/messages", "/v1/responses")

CLIENT = """
import asyncio, json, sys
port, streams, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
asked = {"input": "hi"} if path.endswith("responses") else {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 100000}
body = json.dumps({"model": "bench", "stream": True, **asked}).encode()
head = f"POST {path} HTTP/1.1\\r\\nhost: localhost\\r\\nconnection: close\\r\\ncontent-length: {len(body)}\\r\\n\\r\\n".encode()

async def one():
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head + body)
    answer = await reader.read()
    assert b"200" in answer[:20] and b"word" in answer, answer[:500]
    writer.close()

async def main():
    await asyncio.gather(*(one() for _ in range(streams)))

asyncio.run(main())
"""


class Chatty(ScriptedEngine):
    """Yields so many words, giving way to others after each as a runner would."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.library.installed["bench:latest"] = "1" * 64
        self._tokens = tokens

    async def answer(self, request: Request) -> AsyncGenerator[Event, None]:  # noqa: ARG002 - the protocol's
        """Yield the words."""
        for _ in range(self._tokens):
            yield ContentDelta(" word")
            await asyncio.sleep(0)
        yield Finish("stop", Usage(completion_tokens=self._tokens))


@asynccontextmanager
async def http_only(settings: Settings, keys: KeyFile, tokens: int) -> AsyncIterator[Guard]:
    yield Guard(mount_plugins([ollama, openai, anthropic], Chatty(tokens), settings), settings, keys)


@asynccontextmanager
async def whole_house(settings: Settings, keys: KeyFile, tokens: int) -> AsyncIterator[Guard]:
    async def devices() -> Sequence[Device]:
        memory = 16 * 1024**3
        runners = frozenset({"llama-cpp"})
        return [Device(backend="cpu", id="0", name="CPU", kind=DeviceKind.CPU, total_bytes=memory, free_bytes=memory, runners=runners)]

    host = PluginHost.load(())
    spawn = scripted_spawn([" word"] * tokens)
    async with open_engine(settings, host, spawn=spawn, devices=devices) as engine:
        digest = await upload(engine.library, tiny_gguf(settings.home / "bench.gguf").read_bytes())
        async for _ in engine.library.create(CreateRequest(model="bench", files={"bench.gguf": digest})):
            pass
        yield guarded(host, engine, settings, keys)


async def upload(library: Library, data: bytes) -> str:
    digest = f"sha256:{sha256(data).hexdigest()}"

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    await library.add_blob(digest, chunks())
    return digest


async def measure(table: Table, kind: str, tokens: int, streams: int) -> None:
    build = http_only if kind == "http" else whole_house
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = Settings(host="127.0.0.1:0", home=home, models=home / "models", num_parallel=streams)
        keys = KeyFile(home / "keys.json")
        async with build(settings, keys, tokens) as guard:
            stop, url = asyncio.Event(), asyncio.get_running_loop().create_future()
            serving = asyncio.create_task(serve_on(open_socket(settings, keys), guard, settings, stop=stop, announce=url.set_result))
            port = (await url).rsplit(":", 1)[1]
            for path in PATHS:
                await run_clients(port, 1, path)
                started, cpu = time.perf_counter(), time.process_time()
                await run_clients(port, streams, path)
                cpu_us = (time.process_time() - cpu) / tokens / streams * 1e6
                rate = tokens * streams / (time.perf_counter() - started)
                table.figures(f"{kind}, {path}, {streams} streams", us_per_token=cpu_us, tokens_per_s=rate)
            stop.set()
            await serving


async def run_clients(port: str, streams: int, path: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", CLIENT, port, str(streams), path)
    if await process.wait():
        raise SystemExit(f"the clients of {path} failed")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=500)
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args()
    table = Table("CPU time of the server per token, with a scripted runner")
    for kind in ("http", "house"):
        await measure(table, kind, given.tokens, given.streams)
    table.write(given)


if __name__ == "__main__":
    asyncio.run(main())
