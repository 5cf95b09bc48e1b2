"""Two busy runners on one machine: together they must not be slower than one alone.

python bench/neighbours.py MODEL.gguf [--pairs 5] [--json FILE]
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from servers import arguments
from tables import Table

from corral.conversation import Prompt, Segment
from corral.devices import Placement
from corral.options import LoadOptions, Sampling
from corral.runners import Done, Generation
from corral.settings import Settings
from corral.spec import Choice, ModelFacts, ModelSpec, Origin
from corral_llama_cpp import spawn_runner

if TYPE_CHECKING:
    from corral.runners import Runner

TOKENS = 200


async def rate(runner: Runner, topic: str) -> float:
    """Return tokens per second of one answer after its prompt."""
    prompt = Prompt(segments=(Segment(f"<|im_start|>user\nA long story of {topic}.<|im_end|>\n<|im_start|>assistant\n"),))
    sampling = Sampling(temperature=0, num_predict=TOKENS, ignore_eos=True, draft_num_predict=0)
    async for output in runner.generate(Generation(prompt=prompt, sampling=sampling)):
        if isinstance(output, Done):
            return output.usage.completion_tokens / output.usage.completion_s
    raise SystemExit("the runner gave no end")


async def together(runners: list[Runner], topic: str) -> float:
    started = perf_counter()
    await asyncio.gather(*(rate(runner, topic) for runner in runners))
    return len(runners) * TOKENS / (perf_counter() - started)


def spec(path: Path) -> ModelSpec:
    name = Choice(name="llama-cpp", origin=Origin.DEFAULT)
    facts = ModelFacts(architecture="llama")
    return ModelSpec(name="bench", digest="0" * 64, path=path, facts=facts, renderer=name, parser=name, runner=name, load=LoadOptions())


async def measure(options: object) -> None:
    place = Placement(shares=(), total_layers=1, host_bytes=0, context_tokens=1024, parallel=1, batch_tokens=512, threads=options.threads)
    table = Table("two busy runners together (corral) beside one alone (peer)")
    alone, both = [], []
    with tempfile.TemporaryDirectory() as home:
        async with AsyncExitStack() as stack:
            settings = Settings(home=Path(home))
            runners = [await stack.enter_async_context(spawn_runner(spec(options.model), place, settings)) for _ in range(2)]
            for pair in range(options.pairs):
                alone.append(await together(runners[:1], f"llama {pair}"))
                both.append(await together(runners, f"llama {pair}"))
    table.add("tokens per second of all", both, alone, more_is_better=True, unit="tok/s")
    table.write(options)


if __name__ == "__main__":
    asyncio.run(measure(arguments(__doc__ or "").parse_args()))
