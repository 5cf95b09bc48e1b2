"""Prove that a device which crashes, hangs or babbles when it is probed costs itself only, and in time."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from corral.devices import Absent, Device, DeviceKind
from corral.settings import Settings
from corral_llama_cpp import probe
from corral_llama_cpp.probe import Probe, describe
from corral_llama_cpp.probe_wire import Listed

if TYPE_CHECKING:
    from collections.abc import Mapping

SCRIPT = Path(__file__).parents[1] / "fakes" / "scripted_probe.py"
GIB = 1024**3

#: What a fault does, and words of the reason that it is shown with.
FAULTS = {
    "segfault": "crashed (SIGSEGV) before it was ready: CUDA error: no kernel image",  # F17
    "abort": "aborted (SIGABRT) before it was ready: GGML_ASSERT(buffer) failed",
    "hang": "timed out",  # F18
    "hang, deaf": "timed out",
    "garbage": "something that is no answer",  # F19
    "partial": "exited with code 0 before it was ready",
    "huge": "where 268435456 is the limit",
    "strange": "said something strange",
    "quiet": "exited with code 0 before it was ready",
    "out of memory": "out of memory",
}


#: Three at a time; those that hang share one deadline.
BATCHES = [
    ("hang", "hang, deaf", "segfault"),
    ("abort", "garbage", "partial"),
    ("huge", "strange", "quiet"),
    ("out of memory",),
]
#: For children that hang: healthy ones start in a part of this, even on a busy machine.
LIMIT_S = 6.0
#: A deadline that does not hold leaves a child that hangs for ever.
PATIENCE_S = 120.0


def scripted(faults: Mapping[str, str] | None = None, timeout_s: float = 30.0, **environment: str) -> Probe:
    variables = {**os.environ, **environment, "PROBE_FAULTS": json.dumps(faults or {})}
    return Probe(argv=(sys.executable, str(SCRIPT)), environment=variables, timeout_s=timeout_s)


async def probed(*args: Mapping[str, str], timeout_s: float = 30.0, **environment: str) -> dict[str, Device]:
    found = await scripted(*args, timeout_s=timeout_s, **environment).devices()
    return {device.name: device for device in found if isinstance(device, Device)}


async def test_every_device_is_listed_and_proven() -> None:
    devices = await probed()

    assert [(device.name, device.backend, device.id, device.kind) for device in devices.values()] == [
        ("CUDA0", "CUDA", "0", DeviceKind.GPU),
        ("CUDA1", "CUDA", "1", DeviceKind.GPU),
        ("Vulkan0", "Vulkan", "0", DeviceKind.GPU),
        ("CPU", "cpu", "cpu", DeviceKind.CPU),
    ]
    assert {device.unusable for device in devices.values()} == {None}
    assert {device.runners for device in devices.values()} == {frozenset({"llama-cpp"})}


def listed(name: str, **changes: Any) -> Listed:
    values = {"ordinal": 1, "backend": name, "type": 1, "pci_id": "0000:02:00.0", "free_bytes": 4, "total_bytes": 8, **changes}
    return Listed(name=name, description=f" {name} ", **values)


def test_a_device_has_what_a_child_needs_to_see_it_alone() -> None:
    gpu = describe(listed("CUDA"), {})

    assert (gpu.pci_id, gpu.total_bytes, gpu.free_bytes) == ("0000:02:00.0", 8, 4)
    assert gpu.visibility == {"CUDA_VISIBLE_DEVICES": "1"}
    assert gpu.environment == {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


def test_the_order_that_the_user_wants_is_kept() -> None:
    assert describe(listed("CUDA"), {"CUDA_DEVICE_ORDER": "FASTEST_FIRST"}).environment == {"CUDA_DEVICE_ORDER": "FASTEST_FIRST"}


def test_the_memory_of_the_processor_is_not_believed() -> None:
    """ggml says that all of the host's memory is free."""
    processor = describe(listed("cpu", type=0, ordinal=0), {})

    assert (processor.total_bytes, processor.free_bytes) == (None, None)


@pytest.mark.parametrize(
    ("kind", "expected"), [(0, DeviceKind.CPU), (1, DeviceKind.GPU), (2, DeviceKind.INTEGRATED), (3, DeviceKind.ACCELERATOR)]
)
def test_kinds_of_ggml_are_kinds_of_corral(kind: int, expected: DeviceKind) -> None:
    assert describe(listed("X", type=kind), {}).kind is expected


@pytest.mark.parametrize("faults", BATCHES)
async def test_a_device_that_fails_its_test_costs_only_itself(faults: tuple[str, ...]) -> None:
    """F17, F18, F19: three faults at once, within one deadline."""
    by_device = dict(zip(("CUDA1", "Vulkan0", "CUDA0"), faults, strict=False))
    limit_s = LIMIT_S if "hang" in faults else 60.0
    async with asyncio.timeout(PATIENCE_S):
        devices = await probed(by_device, timeout_s=limit_s)

    assert {name for name, device in devices.items() if device.unusable is None} == set(devices) - set(by_device)
    for name, fault in by_device.items():
        unusable = devices[name].unusable
        assert unusable is not None
        assert FAULTS[fault] in unusable.reason
        assert devices[name].backend in unusable.remedy


@pytest.mark.parametrize("fault", ["segfault", "hang, deaf", "garbage"])
async def test_a_driver_that_fails_when_it_is_listed_leaves_the_processor(fault: str) -> None:
    """F17, F18, F19, while the devices are listed."""
    async with asyncio.timeout(PATIENCE_S):
        found = await scripted({"list": fault}, timeout_s=LIMIT_S).devices()

    problem, processor = found
    assert isinstance(problem, Absent)
    assert FAULTS[fault] in problem.reason
    assert isinstance(processor, Device)
    assert (processor.name, processor.unusable) == ("CPU", None)


async def test_all_devices_hang_the_deadline_holds_for_all_together_and_no_child_is_left() -> None:
    """F18."""
    before = set(psutil.Process().children(recursive=True))
    async with asyncio.timeout(PATIENCE_S):
        devices = await probed(dict.fromkeys(("CUDA0", "CUDA1", "Vulkan0", "CPU"), "hang, deaf"), timeout_s=LIMIT_S)

    assert all(device.unusable for device in devices.values())
    assert set(psutil.Process().children(recursive=True)) <= before


@pytest.mark.parametrize("command", ["/bin/false", "/nonexistent"])
async def test_a_library_that_can_not_be_loaded_is_said(command: str) -> None:
    (problem,) = await replace(scripted(), argv=(command,)).devices()

    assert isinstance(problem, Absent)
    assert problem.reason.startswith("llama.cpp can't be loaded")


def test_the_real_library_has_a_processor_that_computes() -> None:
    found = probe.devices(Settings())
    (processor,) = [thing for thing in found if isinstance(thing, Device) and thing.kind is DeviceKind.CPU]

    assert (processor.backend, processor.id, processor.unusable) == ("cpu", "cpu", None)
    assert processor.description


@pytest.mark.parametrize(
    ("request_", "words"),
    [(("prove", "CUDA", "CUDA0", ""), "not seen any more"), (("dance",), "can list or prove, not dance")],
)
def test_a_probe_that_can_not_answer_says_why(request_: tuple[str, ...], words: str) -> None:
    from corral.errors import LoadFailed

    with pytest.raises(LoadFailed, match=words):
        asyncio.run(Probe()._ask(request_, object, limit_s=20))


def test_without_llama_cpp_the_remedy_is_named(tmp_path: Path) -> None:
    environment = {**os.environ, "LLAMA_CPP_LIB_PATH": str(tmp_path)}
    (problem,) = asyncio.run(Probe(environment=environment).devices())

    assert isinstance(problem, Absent)
    assert "libggml-base.so" in problem.reason
    assert "pip install" in problem.remedy
