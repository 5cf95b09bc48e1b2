"""What placement estimates against what llama.cpp allocates for the real model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from corral.devices import Device, DeviceKind
from corral.gguf import facts, read_header
from corral.options import LoadOptions
from corral.placement import Conditions, Planner
from corral.settings import Settings
from corral.testing import model_spec

GIB = 1024**3
CPU = Device(backend="cpu", id="cpu", name="CPU", kind=DeviceKind.CPU, total_bytes=64 * GIB, free_bytes=64 * GIB)


@pytest.mark.long
@pytest.mark.model
@pytest.mark.parametrize("cache_type", ["f16", "q8_0", "q4_0"])
@pytest.mark.parametrize("context", [512, 1024, 2048, 4096, 8192])
async def test_the_estimate_is_within_5_percent_of_what_is_allocated(smollm2_path, tmp_path, context, cache_type):
    from corral_llama_cpp.runner import open_runner

    load = LoadOptions(num_ctx=context, num_parallel=1, num_thread=1, cache_type_k=cache_type, cache_type_v=cache_type)
    spec = replace(model_spec("smollm2"), path=smollm2_path, facts=facts(read_header(smollm2_path)), load=load)
    settings = Settings(home=tmp_path, models=tmp_path)
    placement = Planner(settings).plan(spec, [CPU], Conditions())

    async with open_runner(spec, placement, settings) as runner:
        actual = runner.info.memory["CPU"]

    assert placement.host_bytes == pytest.approx(actual, rel=0.05)
