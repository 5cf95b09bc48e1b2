"""Live runners tell the free memory of the devices they use."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from corral.devices import Device, DeviceKind, Placement, Share
from corral.discovery import LiveRunners
from corral.testing import ScriptedRunner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    import pytest

    from corral.runners import Runner


class Telling(ScriptedRunner):
    """Says how much is free, by its own name of the device."""

    async def free_memory(self) -> Mapping[str, int]:
        self._check_alive()
        return {"CUDA0": 5}


def placement(*devices: Device) -> Placement:
    shares = tuple(Share(device=device, layers=1, weights_bytes=1, cache_bytes=1, compute_bytes=1) for device in devices)
    return Placement(shares=shares, total_layers=3, host_bytes=0, context_tokens=64, parallel=1, batch_tokens=64, threads=1)


def gpu(id_: str, name: str) -> Device:
    return Device(backend="CUDA", id=id_, name=name, kind=DeviceKind.GPU, visibility={"CUDA_VISIBLE_DEVICES": id_})


@asynccontextmanager
async def opened(runner: Runner) -> AsyncIterator[Runner]:
    yield runner


async def test_a_runner_s_own_name_leads_back_to_the_device() -> None:
    live = LiveRunners()

    async with live.keep(placement(gpu("GPU-b", "CUDA1")), opened(Telling())):
        assert await live.free_bytes() == {("CUDA", "GPU-b"): 5}

    assert await live.free_bytes() == {}


class Broken(ScriptedRunner):
    """Does not know the question."""

    async def free_memory(self) -> Mapping[str, int]:
        raise NotImplementedError


async def test_a_runner_that_can_not_tell_hides_no_other_one(caplog: pytest.LogCaptureFixture) -> None:
    live = LiveRunners()

    async with (
        live.keep(placement(gpu("GPU-a", "CUDA0")), opened(Broken())),
        live.keep(placement(gpu("GPU-b", "CUDA1")), opened(Telling())),
    ):
        assert await live.free_bytes() == {("CUDA", "GPU-b"): 5}

    assert "could not tell its free memory" in caplog.text


async def test_a_runner_that_died_or_has_no_device_tells_nothing() -> None:
    live, dead = LiveRunners(), Telling()
    dead.die()

    async with live.keep(placement(gpu("GPU-a", "CUDA0")), opened(dead)), live.keep(placement(), opened(Telling())):
        assert await live.free_bytes() == {}
