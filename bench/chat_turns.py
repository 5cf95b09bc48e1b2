"""Time to the first token of a chat's second turn, and of another question below the same system prompt and tools.

python bench/chat_turns.py MODEL.gguf [--pairs 5] [--json FILE]
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from asking import chat, words
from servers import Setup, arguments, both
from tables import Table

if TYPE_CHECKING:
    from servers import Server


async def second_turn(server: Server, seed: int) -> float:
    messages: list[dict[str, object]] = [{"role": "user", "content": f"Remember: {words((seed, 'first'), 300)}. Tell a story."}]
    first = await chat(server, messages, 64)
    messages += [{"role": "assistant", "content": first.text}, {"role": "user", "content": "And what came then?"}]
    return (await chat(server, messages, 4)).first_s


async def same_system(server: Server, seed: int) -> float:
    system = {"role": "system", "content": f"You know these words: {words((seed, 'system'), 400)}."}
    for question in ("What is the first word?", "Which word is the longest one?"):
        reply = await chat(server, [system, {"role": "user", "content": f"{question} {words((seed, question), 5)}"}], 4)
    return reply.first_s


async def measure(options: object) -> None:
    table = Table("what is evaluated again, as time to the first token")
    with both(Setup(options.model, slots=4, threads=options.threads)) as servers:
        for name, case in (("second turn of a chat", second_turn), ("same system prompt, new question", same_system)):
            times = {server.name: [] for server in servers}
            for pair in range(options.pairs):
                for server in servers:
                    times[server.name].append(await case(server, pair))
            table.add(name, *(times[server.name] for server in servers), more_is_better=False, unit="s")
    table.write(options)


if __name__ == "__main__":
    asyncio.run(measure(arguments(__doc__ or "").parse_args()))
