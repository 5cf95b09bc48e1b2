"""Two real models under a memory limit that holds one of them."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from dataclasses import replace

import pytest

from corral.conversation import Prompt, Segment
from corral.devices import Device, DeviceKind
from corral.errors import RunnerDied
from corral.gguf import facts, read_header
from corral.options import LoadOptions, Sampling
from corral.placement import Planner
from corral.runners import Done, Generation, Piece
from corral.scheduler import Scheduler
from corral.settings import Settings
from corral.testing import model_spec

MIB = 1024 * 1024
#: One SmolLM2 with 256 tokens takes some 200 MiB.
LIMIT = 300 * MIB
CPU = Device(backend="cpu", id="cpu", name="CPU", kind=DeviceKind.CPU, total_bytes=LIMIT, free_bytes=LIMIT)


@pytest.mark.long
@pytest.mark.model
async def test_two_models_alternate_under_a_limit_that_holds_one(smollm2_path, tmp_path):
    """F62: both are served, the swaps are fewer than the requests, and the waiting time is told."""
    from corral_llama_cpp.runner import open_runner

    settings = Settings(home=tmp_path, models=tmp_path)
    load = LoadOptions(num_ctx=256, num_parallel=1, num_thread=1)
    known = facts(read_header(smollm2_path))
    specs = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.gguf"
        shutil.copyfile(smollm2_path, path)
        specs.append(replace(model_spec(name), path=path, facts=known, load=load))

    async def devices():
        return [CPU]

    async def ask(spec) -> tuple[str, float]:
        generation = Generation(prompt=Prompt(segments=(Segment("The sky is"),)), sampling=Sampling(num_predict=4, temperature=0))
        async with scheduler.lease(spec) as lease:
            text = "".join([part.text async for part in lease.runner.generate(generation) if isinstance(part, Piece)])
        return text, lease.queue_s

    def spawn(spec, placement):
        return open_runner(spec, placement, settings)

    async with Scheduler(spawn=spawn, devices=devices, plan=Planner(settings).plan, settings=settings) as scheduler:
        answers = await asyncio.gather(*(ask(specs[number % 2]) for number in range(8)))
        counted = scheduler.statistics()

    assert len({text for text, _ in answers}) == 1
    assert counted["corral_loads_total"] == 2
    assert counted["corral_evictions_total"] == 1
    assert answers[1][1] > 0


@pytest.mark.long
@pytest.mark.model
async def test_a_runner_that_hangs_fails_its_request_and_is_replaced_for_the_next(smollm2_path, tmp_path):
    """F39, F41: its process is stopped in the middle of an answer."""
    from corral_llama_cpp.runner import open_runner

    settings = Settings(home=tmp_path, models=tmp_path, stall_timeout_s=2.0)
    load = LoadOptions(num_ctx=256, num_parallel=1, num_thread=1)
    spec = replace(model_spec("a"), path=smollm2_path, facts=facts(read_header(smollm2_path)), load=load)
    generation = Generation(prompt=Prompt(segments=(Segment("The sky is"),)), sampling=Sampling(num_predict=200, ignore_eos=True))

    async def devices():
        return [CPU]

    def spawn(spec, placement):
        return open_runner(spec, placement, settings)

    async def ask_and_stop() -> None:
        async with scheduler.lease(spec) as lease:
            answer = lease.runner.generate(generation)
            await anext(answer)
            os.kill(lease.runner.info.pid, signal.SIGSTOP)
            async for _ in answer:
                continue

    async with Scheduler(spawn=spawn, devices=devices, plan=Planner(settings).plan, settings=settings) as scheduler:
        with pytest.raises(RunnerDied, match=r"the runner of a\S* hangs: .* 2 s .*CORRAL_STALL_TIMEOUT"):
            await ask_and_stop()
        async with scheduler.lease(spec) as lease:
            outputs = [part async for part in lease.runner.generate(generation)]
        counted = scheduler.statistics()

    assert isinstance(outputs[-1], Done)
    assert (counted["corral_loads_total"], counted["corral_runner_crashes_total"]) == (2, 1)
