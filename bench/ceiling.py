"""What the engine costs beside a bare loop of `llama_decode` over the same batch: in one process and context, and over HTTP.

python bench/ceiling.py MODEL.gguf [--streams 1,4,8] [--pairs 5] [--json FILE]
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

from asking import words
from servers import Setup, arguments, corral
from tables import Table
from throughput import crowd

from corral.conversation import Segment
from corral.options import Sampling
from corral_llama_cpp.engine.seams import Batch
from corral_llama_cpp.wire import Generate, Load

if TYPE_CHECKING:
    from servers import Server

    from corral_llama_cpp.engine.loop import Engine
    from corral_llama_cpp.native.loading import Loaded

STEPS = 60
PROMPT = 90


def bare(loaded: Loaded, streams: int) -> float:
    """Return tokens per second of a loop that only decodes, one token for each sequence."""
    context = loaded.context
    for stream in range(streams):
        prompt = Batch()
        prompt.add([100 + 7 * i + stream for i in range(PROMPT)], 0, stream, 1)
        context.decode(prompt)
    steps = [_step(streams, PROMPT + i) for i in range(STEPS)]
    started = perf_counter()
    for step in steps:
        context.decode(step)
    seconds = perf_counter() - started
    for stream in range(streams):
        context.memory.remove(stream, 0)
    return streams * STEPS / seconds


def _step(streams: int, position: int) -> Batch:
    batch = Batch()
    for stream in range(streams):
        batch.add([300 + stream], position, stream, 1)
    return batch


def engine_rate(engine: Engine, loaded: Loaded, streams: int, seed: object, sampling: Sampling) -> float:
    """Return tokens per second of engine steps, from the one in which every stream is answering."""
    for id_ in range(streams):
        segments = (Segment(f"<|im_start|>user\nStory: {words((seed, id_), 60)}.<|im_end|>\n<|im_start|>assistant\n"),)
        engine.submit(Generate(id_, segments, sampling), loaded.model.vocabulary.tokens(segments))
    while engine.running < streams:
        engine.step()
    started = perf_counter()
    for _ in range(STEPS):
        engine.step()
    seconds = perf_counter() - started
    for id_ in range(streams):
        engine.cancel(id_)
    engine.cells.clear()
    return streams * STEPS / seconds


async def served_rate(server: Server, streams: int, seed: object) -> float:
    """Return tokens per second over HTTP while all of the streams are answering."""
    return (await crowd(server, streams, seed))[1]


def measure(options: object) -> None:
    from corral_llama_cpp.native.loading import load_model

    load = Load(path=str(options.model), context_tokens=2048, parallel=8, batch_tokens=512, threads=options.threads)
    loaded = load_model(load, lambda _: None, lambda: None)
    engine = loaded.engine(lambda id_, error: print(id_, error))
    table = Table("engine beside the bare decode loop (the peer here)")
    plain = {"ignore_eos": True, "num_predict": 1000, "draft_num_predict": 0}
    for name, sampling in (("greedy", Sampling(temperature=0, **plain)), ("default sampling", Sampling(seed=1, **plain))):
        for streams in map(int, options.streams.split(",")):
            ours, ceiling = [], []
            for pair in range(options.pairs):
                ceiling.append(bare(loaded, streams))
                ours.append(engine_rate(engine, loaded, streams, pair, sampling))
            table.add(f"{streams} streams, {name}", ours, ceiling, more_is_better=True, unit="tok/s")
    with corral(Setup(options.model, threads=options.threads)) as server:
        asyncio.run(served_rate(server, 1, "warm"))
        for streams in map(int, options.streams.split(",")):
            ours, ceiling = [], []
            for pair in range(options.pairs):
                ceiling.append(bare(loaded, streams))
                ours.append(asyncio.run(served_rate(server, streams, (streams, pair))))
            table.add(f"{streams} streams, over HTTP", ours, ceiling, more_is_better=True, unit="tok/s")
    table.write(options)


if __name__ == "__main__":
    parser = arguments(__doc__ or "")
    parser.add_argument("--streams", default="1,4,8")
    measure(parser.parse_args())
