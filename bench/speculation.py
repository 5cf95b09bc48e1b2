"""Answers that repeat their input, with and without guessing, beside the C++ server; and what guessing costs when nothing repeats.

python bench/speculation.py MODEL.gguf [--pairs 5] [--json FILE]
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from asking import WORDS, continue_text, words
from servers import Setup, arguments, both
from tables import Table

if TYPE_CHECKING:
    from servers import Server

TOKENS = 200


SENTENCES = (
    "The old {} stood near the {}, where nobody had seen a {} for many years.",
    "In the morning she took the {} and went down to the {} to look for her {}.",
    "It was a cold day, and the {} of the {} was covered with a thin layer of {}.",
    "He said that the {} belonged to the {}, but nobody believed him about the {}.",
    "When the {} was ready, they carried it past the {} and left it beside the {}.",
)


def repeating(seed: int) -> str:
    """Return a text of about 300 tokens and the beginning of its copy: a model goes on copying."""
    chooser = random.Random(seed)
    text = " ".join(chooser.choice(SENTENCES).format(*chooser.sample(WORDS, 3)) for _ in range(15))
    return f"# Original\n\n{text}\n\n# Exact copy\n\n{text[:80]}"


def fresh(seed: int) -> str:
    return f"Once upon a time, {words(seed, 6)}. It was"


async def rate(server: Server, text: str, *, drafts: bool = True) -> tuple[float, str]:
    """Return tokens per second after the first piece, and the text."""
    reply = await continue_text(server, text, TOKENS, drafts=drafts)
    return (reply.tokens - 1) / (reply.total_s - reply.first_s), reply.text


async def compare(servers: tuple[Server, Server], text: str) -> tuple[float, float, float, bool]:
    """Return the rates with and without guessing, the peer's, and whether guessing left the text as it was."""
    ours, theirs = servers
    await continue_text(ours, text, 1)
    guessed, with_text = await rate(ours, text)
    plain, plain_text = await rate(ours, text, drafts=False)
    await continue_text(theirs, text, 1)
    other, _ = await rate(theirs, text)
    return guessed, plain, other, with_text == plain_text


async def measure(options: object) -> None:
    table = Table("prompt-lookup guessing at temperature 0, decoding only")
    with both(Setup(options.model, slots=1, threads=options.threads)) as servers:
        for name, make in (("repeats ~300 tokens", repeating), ("nothing repeats", fresh)):
            found = [await compare(servers, make(pair)) for pair in range(options.pairs)]
            guessed, plain, other, same = (list(column) for column in zip(*found, strict=True))
            table.add(f"{name}: guessing / C++ server", guessed, other, more_is_better=True, unit="tok/s")
            table.add(f"{name}: guessing / not guessing", guessed, plain, more_is_better=True, unit="tok/s")
            table.note(f"{name}: same text as without", f"{sum(same)} of {len(same)}")
    table.write(options)


if __name__ == "__main__":
    asyncio.run(measure(arguments(__doc__ or "").parse_args()))
