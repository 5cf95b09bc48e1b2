"""Prove the real pynvml against a made-up driver: every machine it may meet, and every call that may fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
from vendor import compile_library, discover

import corral_nvidia
from corral.devices import Absent, Device, DeviceKind
from corral_nvidia.session import NoDriver, open_driver

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GIB = 1024**3
SONAME = "libnvidia-ml.so.1"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_library(tmp_path_factory.mktemp("nvml"), "nvml.c", SONAME)


def found_by(driver: Path, *scenarios: Mapping[str, str]) -> list[list[Device | Absent]]:
    prefixed = [{f"FAKE_NVML_{name}": value for name, value in scenario.items()} for scenario in scenarios]
    return discover("corral_nvidia", prefixed, LD_LIBRARY_PATH=str(driver))


def devices(found: list[Device | Absent]) -> list[Device]:
    return [thing for thing in found if isinstance(thing, Device)]


def absent(found: list[Device | Absent]) -> list[Absent]:
    return [thing for thing in found if isinstance(thing, Absent)]


def test_each_gpu_is_told_apart_and_measured(driver: Path) -> None:
    for count, found in zip((1, 2, 8), found_by(driver, *({"COUNT": count} for count in "128")), strict=True):
        assert [device.uuid for device in devices(found)] == [f"GPU-{index:08}" for index in range(count)]
        assert [device.pci_id for device in devices(found)] == [f"0000:{0xC1 + index:02x}:00.0" for index in range(count)]
        assert [device.free_bytes for device in devices(found)] == [(79 - index) * GIB for index in range(count)]


def test_a_gpu_is_described_by_its_driver(driver: Path) -> None:
    ((gpu,),) = found_by(driver, {"COUNT": "1"})

    assert isinstance(gpu, Device)
    assert (gpu.backend, gpu.kind, gpu.description) == ("CUDA", DeviceKind.GPU, "NVIDIA H100")
    assert (gpu.compute, gpu.driver, gpu.facts["cuda_driver"]) == ("9.0", "550.54.14", "12.4")
    assert gpu.visibility == {"CUDA_VISIBLE_DEVICES": "GPU-00000000"}
    # The driver alone can't compute: only a runner's report makes a device usable.
    assert gpu.runners == frozenset()
    assert gpu.unusable is not None
    assert "GGML_CUDA" in gpu.unusable.remedy


def test_no_gpu_is_said_and_not_listed(driver: Path) -> None:
    ((nothing,),) = found_by(driver, {"COUNT": "0"})

    assert nothing == Absent("CUDA", "the NVIDIA driver lists no GPU", "let the container or virtual machine have one")


def test_a_gpu_that_appears_later_is_found(driver: Path) -> None:
    """F21."""
    before, after = found_by(driver, {"COUNT": "0"}, {"COUNT": "1"})

    assert (len(devices(before)), len(devices(after))) == (0, 1)


def test_partitions_take_the_place_of_their_gpu(driver: Path) -> None:
    ((*parts,),) = found_by(driver, {"COUNT": "2", "MIG": "3"})

    assert [part.uuid for part in devices(parts)] == [f"MIG-{gpu:08}-part-{part}" for gpu in (0, 1) for part in (1, 3, 4)]
    assert {part.total_bytes for part in devices(parts)} == {10 * GIB}
    assert {part.facts["partition_of"] for part in devices(parts)} == {"GPU-00000000", "GPU-00000001"}
    assert devices(parts)[1].visibility == {"CUDA_VISIBLE_DEVICES": "MIG-00000000-part-3"}


def test_a_partitioned_gpu_without_partitions_says_what_to_do(driver: Path) -> None:
    ((gpu,),) = found_by(driver, {"COUNT": "1", "MIG": "0"})

    assert isinstance(gpu, Device)
    assert gpu.unusable is not None
    assert "nvidia-smi mig" in gpu.unusable.remedy


def test_unified_memory_is_the_hosts(driver: Path) -> None:
    ((gpu,),) = found_by(driver, {"COUNT": "1", "UNIFIED": "1"})

    assert isinstance(gpu, Device)
    assert (gpu.kind, gpu.total_bytes) == (DeviceKind.INTEGRATED, psutil.virtual_memory().total)
    assert gpu.free_bytes is not None
    assert 0 < gpu.free_bytes <= psutil.virtual_memory().total


FACTS = (
    "nvmlDeviceGetUUID", "nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetName", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetMigMode",
    "nvmlDeviceGetCudaComputeCapability", "nvmlSystemGetDriverVersion", "nvmlSystemGetCudaDriverVersion_v2",
)  # fmt: skip
#: Not supported, no permission, driver not loaded, function not found, GPU is lost, version mismatch, unknown.
CODES = (3, 4, 9, 13, 15, 18, 999)


@pytest.mark.parametrize("function", FACTS)
def test_a_call_that_fails_costs_one_fact_of_one_gpu(driver: Path, function: str) -> None:
    """F20 (not supported), F22, F23, and an error from each call in turn."""
    scenarios = [{"COUNT": "2", "FAIL": f"{function}:{code}", "FAIL_GPU": "1"} for code in CODES]
    (healthy,) = found_by(driver, {"COUNT": "2"})
    for found in found_by(driver, *scenarios):
        first, second = devices(found)
        assert first == healthy[0] or function.startswith("nvmlSystem")
        assert second.id in ("GPU-00000001", "0000:c2:00.0")
        assert second.backend == "CUDA"


@pytest.mark.parametrize("code", CODES)
def test_a_lost_gpu_costs_only_itself(driver: Path, code: int) -> None:
    """F22."""
    (found,) = found_by(driver, {"COUNT": "3", "FAIL": f"nvmlDeviceGetHandleByIndex_v2:{code}", "FAIL_GPU": "1"})

    assert [device.uuid for device in devices(found)] == ["GPU-00000000", "GPU-00000002"]
    assert [reason.reason.split(":")[0] for reason in absent(found)] == ["GPU 1 can't be asked"]


@pytest.mark.parametrize("function", ["nvmlInitWithFlags", "nvmlDeviceGetCount_v2"])
def test_a_driver_that_does_not_answer_is_said(driver: Path, function: str) -> None:
    found = found_by(driver, *({"COUNT": "1", "FAIL": f"{function}:{code}"} for code in CODES))

    assert [len(devices(things)) for things in found] == [0] * len(CODES)
    assert all(absent(things) for things in found)
    assert absent(found[2])[0].remedy == "load the driver: modprobe nvidia"
    assert "reboot" in absent(found[5])[0].remedy


@pytest.mark.parametrize("function", ["nvmlDeviceGetMaxMigDeviceCount", "nvmlDeviceGetMigDeviceHandleByIndex"])
def test_partitions_that_can_not_be_asked_leave_the_gpu_with_a_reason(driver: Path, function: str) -> None:
    ((gpu,),) = found_by(driver, {"COUNT": "1", "MIG": "2", "FAIL": f"{function}:4"})

    assert isinstance(gpu, Device)
    assert gpu.unusable is not None


def test_without_a_driver_the_reason_is_given_quickly() -> None:
    if shutil.which("nvidia-smi"):
        pytest.skip("this machine has an NVIDIA driver")
    (reason,) = corral_nvidia.discover_devices()

    assert isinstance(reason, Absent)
    assert SONAME in reason.reason


def test_the_library_of_wsl_is_taken_before_the_systems(driver: Path, tmp_path: Path) -> None:
    """The made-up library under the WSL path answers, though the loader would find none."""
    script = (
        "import sys, pathlib, pynvml\n"
        "from corral_nvidia.session import open_driver\n"
        f"with open_driver(pathlib.Path({str(driver / SONAME)!r})):\n"
        "    print(pynvml.nvmlDeviceGetCount())\n"
    )
    environment = {**os.environ, "FAKE_NVML_COUNT": "5"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout == "5\n"


def test_a_broken_library_of_wsl_is_named(tmp_path: Path) -> None:
    broken = tmp_path / SONAME
    broken.write_text("no library")
    with pytest.raises(NoDriver, match="can't be loaded"), open_driver(broken):
        pytest.fail("it was opened")


def test_loading_the_plugin_loads_no_vendor_library() -> None:
    script = "import sys, corral_nvidia; corral_nvidia.declare_capabilities(); sys.exit('pynvml' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
