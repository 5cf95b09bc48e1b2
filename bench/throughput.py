"""Tokens per second of many chats at once, and the longest wait of a running answer beside a long prompt.

python bench/throughput.py MODEL.gguf [--streams 1,4,8] [--pairs 5] [--json FILE]
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

from asking import Reply, user_chat, words
from servers import Setup, arguments, both
from tables import Table

if TYPE_CHECKING:
    from servers import Server

TOKENS = 64
PROMPT_WORDS = 60
LONG_PROMPT_WORDS = 2000


async def crowd(server: Server, streams: int, seed: object) -> tuple[float, float, list[Reply]]:
    """Return tokens per second of the whole, and while all of the streams were answering."""
    texts = [f"Story {i}: {words((seed, i), PROMPT_WORDS)}. Continue this as a long story." for i in range(streams)]
    started = perf_counter()
    replies = await asyncio.gather(*(user_chat(server, text, TOKENS) for text in texts))
    seconds = perf_counter() - started
    return sum(reply.tokens for reply in replies) / seconds, decode_rate(replies), replies


def decode_rate(replies: list[Reply]) -> float:
    """Return pieces per second between the last first piece and the first last piece."""
    start = max(reply.sent + reply.first_s for reply in replies)
    end = min(reply.sent + reply.total_s for reply in replies)
    pieces = sum(start <= reply.sent + time < end for reply in replies for time in reply.times)
    return pieces / (end - start) if end > start else 0.0


async def longest_gap(server: Server, seed: object) -> tuple[float, float]:
    """Return the longest gap of an answer while a long prompt arrives, and the time to that one's first piece."""
    running = asyncio.create_task(user_chat(server, f"Tell a long story of {words(seed, 5)}.", 200))
    await asyncio.sleep(0.5)
    late = await user_chat(server, f"{words((seed, 'long'), LONG_PROMPT_WORDS)}. What was that?", 4)
    return max((await running).gaps_s), late.first_s


async def crowds(table: Table, servers: tuple[Server, Server], streams: int, pairs: int, remark: str = "") -> None:
    """Add what as many streams at once get of each server."""
    rates = {server.name: ([], [], []) for server in servers}
    for pair in range(pairs):
        for server in servers:
            whole, decoding, replies = await crowd(server, streams, (streams, pair))
            gaps = sorted(gap for reply in replies for gap in reply.gaps_s)
            for figures, figure in zip(rates[server.name], (whole, decoding, gaps[len(gaps) * 99 // 100]), strict=True):
                figures.append(figure)
    ours, theirs = (rates[server.name] for server in servers)
    table.add(f"{streams} streams, whole requests{remark}", ours[0], theirs[0], more_is_better=True, unit="tok/s")
    table.add(f"{streams} streams, decoding only{remark}", ours[1], theirs[1], more_is_better=True, unit="tok/s")
    table.add(f"{streams} streams, 99th percentile of gaps{remark}", ours[2], theirs[2], more_is_better=False, unit="s")


async def measure(options: object) -> None:
    table = Table("throughput, distinct prompts")
    for unified, remark in ((False, ""), (True, ", one cache")):
        with both(Setup(options.model, threads=options.threads, unified=unified)) as servers:
            for server in servers:
                await crowd(server, 1, "warm")
            for streams in map(int, options.streams.split(",")):
                await crowds(table, servers, streams, options.pairs, remark)
    with both(Setup(options.model, slots=2, context=8192, threads=options.threads)) as servers:
        gaps = {server.name: [] for server in servers}
        for pair in range(max(options.pairs // 2, 1)):
            for server in servers:
                gaps[server.name].append(await longest_gap(server, pair))
        ours, theirs = (list(zip(*gaps[server.name], strict=True)) for server in servers)
        table.add("longest gap beside a prompt of ~3,000 tokens", ours[0], theirs[0], more_is_better=False, unit="s")
        table.add("time to that prompt's first token", ours[1], theirs[1], more_is_better=False, unit="s")
    table.write(options)


if __name__ == "__main__":
    parser = arguments(__doc__ or "")
    parser.add_argument("--streams", default="1,4,8")
    asyncio.run(measure(parser.parse_args()))
