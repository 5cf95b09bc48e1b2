"""Clients that each ask again as soon as they have their answer, with prompts and answers of all lengths.

python bench/steady.py MODEL.gguf [--clients 2,4,8] [--pairs 5] [--json FILE]
"""

from __future__ import annotations

import asyncio
import random
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from asking import Reply, user_chat, words
from servers import Setup, arguments, both
from tables import Table

if TYPE_CHECKING:
    from servers import Server

REQUESTS = 24
PROMPT_WORDS = (5, 150)
ANSWER_TOKENS = (8, 96)


async def load(server: Server, clients: int, seed: object) -> tuple[float, float, float]:
    """Return tokens per second, and the median and the 95th percentile of the times to the first token."""
    chance = random.Random(str(seed))
    asked = [(words((seed, i), chance.randint(*PROMPT_WORDS)), chance.randint(*ANSWER_TOKENS)) for i in range(REQUESTS)]
    replies: list[Reply] = []

    async def client() -> None:
        while asked:
            text, tokens = asked.pop()
            replies.append(await user_chat(server, f"{text}. Continue this as a long story.", tokens))

    started = perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    seconds = perf_counter() - started
    firsts = sorted(reply.first_s for reply in replies)
    return sum(reply.tokens for reply in replies) / seconds, median(firsts), firsts[len(firsts) * 95 // 100]


async def measure(options: object) -> None:
    table = Table("steady load, distinct prompts of 5 to 150 words, answers of 8 to 96 tokens")
    with both(Setup(options.model, threads=options.threads)) as servers:
        for server in servers:
            await user_chat(server, "warm", 4)
        for clients in map(int, options.clients.split(",")):
            figures = {server.name: [] for server in servers}
            for pair in range(options.pairs):
                for server in servers:
                    figures[server.name].append(await load(server, clients, (clients, pair)))
            ours, theirs = (list(zip(*figures[server.name], strict=True)) for server in servers)
            table.add(f"{clients} clients, tokens of all", ours[0], theirs[0], more_is_better=True, unit="tok/s")
            table.add(f"{clients} clients, median time to the first token", ours[1], theirs[1], more_is_better=False, unit="s")
            table.add(f"{clients} clients, 95th percentile of it", ours[2], theirs[2], more_is_better=False, unit="s")
    table.write(options)


if __name__ == "__main__":
    parser = arguments(__doc__ or "")
    parser.add_argument("--clients", default="2,4,8")
    asyncio.run(measure(parser.parse_args()))
