"""Requests that arrive at once with a long common prefix that no cache has seen.

python bench/prefix.py MODEL.gguf [--shared 0,100,250,500] [--pairs 5] [--json FILE]
"""

from __future__ import annotations

import asyncio
import statistics
from time import perf_counter
from typing import TYPE_CHECKING

from asking import user_chat, words
from servers import Setup, arguments, both
from tables import Table

if TYPE_CHECKING:
    from servers import Server

REQUESTS = 8
TOKENS = 16


async def burst(server: Server, shared: int, seed: object) -> tuple[float, float]:
    """Return the time to the last token of all, and the median time to a first one."""
    prefix = words((seed, "shared"), shared)
    texts = [f"{prefix} Story {i}: {words((seed, i), 20)}. Continue this." for i in range(REQUESTS)]
    started = perf_counter()
    replies = await asyncio.gather(*(user_chat(server, text, TOKENS) for text in texts))
    return perf_counter() - started, statistics.median(reply.first_s for reply in replies)


async def measure(options: object) -> None:
    table = Table(f"{REQUESTS} requests at once, shared words never seen before")
    with both(Setup(options.model, threads=options.threads)) as servers:
        for server in servers:
            await burst(server, 0, "warm")
        for shared in map(int, options.shared.split(",")):
            times = {server.name: [] for server in servers}
            for pair in range(options.pairs):
                for server in servers:
                    times[server.name].append(await burst(server, shared, (shared, pair)))
            ours, theirs = (list(zip(*times[server.name], strict=True)) for server in servers)
            table.add(f"{shared} shared words, to the last token", ours[0], theirs[0], more_is_better=False, unit="s")
            table.add(f"{shared} shared words, median first token", ours[1], theirs[1], more_is_better=False, unit="s")
    table.write(options)


if __name__ == "__main__":
    parser = arguments(__doc__ or "")
    parser.add_argument("--shared", default="100,250,500")
    asyncio.run(measure(parser.parse_args()))
