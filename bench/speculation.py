"""Answers that repeat their input, with and without guessing, beside the C++ server; and what guessing costs when nothing repeats.

python bench/speculation.py MODEL.gguf [--pairs 5] [--json FILE]
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from asking import continue_text, words
from servers import Setup, arguments, both
from tables import Table

if TYPE_CHECKING:
    from servers import Server

TOKENS = 200


SENTENCES = [
    "The river freezes only in the hardest winters, and then the children cross it on their way to school.",
    "My grandfather kept his letters in a tin that had once been full of Dutch biscuits.",
    "Every lighthouse on this coast has its own rhythm, so that sailors know where they are.",
    "Bread needs four things: flour, water, salt and a great deal of patience.",
    "The museum closed its doors at six, but nobody had told the two visitors in the attic.",
    "Bees find their way home by the angle of the sun, even when clouds cover most of the sky.",
    "She sold the piano, bought a bicycle and never regretted either decision.",
    "A good map leaves out almost everything and still takes you where you want to go.",
    "In 1921 the village got its first telephone, and within a week everyone was tired of it.",
    "The tailor measured twice, cut once, and charged for both.",
    "Copper turns green with age, which is why the roof of the old station looks like a forest.",
    "There are fewer than forty words in their language for snow, but over a hundred for knots.",
    "Nobody remembers who planted the walnut tree, although everybody eats the nuts.",
    "The last train leaves at eleven, unless the driver's daughter has a concert that night.",
    "He learned to read from seed catalogues and could spell chrysanthemum before he could spell his name.",
    "When the dam was finished, the valley disappeared in nine days and the church tower in twelve.",
]


def repeating(seed: int) -> str:
    """Return a text of about 300 tokens and the beginning of its copy: a model goes on copying."""
    text = " ".join(random.Random(seed).sample(SENTENCES, 14))
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
    for name, make in (("repeats ~300 tokens", repeating), ("nothing repeats", fresh)):
        found = []
        for pair in range(options.pairs):
            # New servers each time: texts are equal for sure in a cache without holes only (docs/engine.md).
            with both(Setup(options.model, slots=1, threads=options.threads)) as servers:
                found.append(await compare(servers, make(pair)))
        guessed, plain, other, same = (list(column) for column in zip(*found, strict=True))
        table.add(f"{name}: guessing / C++ server", guessed, other, more_is_better=True, unit="tok/s")
        table.add(f"{name}: guessing / not guessing", guessed, plain, more_is_better=True, unit="tok/s")
        table.note(f"{name}: same text as without", f"{sum(same)} of {len(same)}")
    table.write(options)


if __name__ == "__main__":
    asyncio.run(measure(arguments(__doc__ or "").parse_args()))
