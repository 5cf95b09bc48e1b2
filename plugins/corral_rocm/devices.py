"""The AMD GPUs of this machine as devices, whoever knows about them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from corral.devices import Absent, Device, DeviceKind, Unusable
from corral_rocm.gfx import OVERRIDE, from_override, override_for
from corral_rocm.gpu import Gpu, complete
from corral_rocm.library import ask_library
from corral_rocm.sysfs import read_gpus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_BACKEND = "ROCm"
_WHEEL = "install a llama-cpp-python with ROCm: CMAKE_ARGS=-DGGML_HIP=on pip install --force-reinstall --no-cache-dir llama-cpp-python"
_NO_RUNNER = Unusable("the driver sees it, but no installed runner can compute on it", _WHEEL)
_NO_COMPUTE = Unusable("amdgpu drives it, but its compute driver (KFD) does not list it", "use a runner with Vulkan, or a newer kernel")
_NO_ACCESS = Unusable("this user may not open /dev/kfd", "add the user to the groups render and video, and log in again")
_NOTHING = Absent(
    _BACKEND,
    "amdgpu drives no GPU here (neither /sys/class/kfd nor /sys/class/drm lists one)",
    "load the driver: modprobe amdgpu; in a container, pass /dev/kfd and /dev/dri",
)


def discover(
    root: Path = Path("/"),
    environment: Mapping[str, str] | None = None,
    library: Callable[[], Sequence[Gpu]] = ask_library,
) -> list[Device | Absent]:
    """Return each GPU of the file tree at `root`, completed by the library's view where PCI ids agree."""
    gpus = _merge(read_gpus(root), library())
    variables = os.environ if environment is None else environment
    return [_device(gpu, index, root, variables) for index, gpu in enumerate(gpus)] or [_NOTHING]


def _merge(seen: Sequence[Gpu], known: Sequence[Gpu]) -> list[Gpu]:
    by_pci_id = {gpu.pci_id: gpu for gpu in known}
    merged = [complete(by_pci_id.pop(gpu.pci_id, gpu), gpu) for gpu in seen]
    return [*merged, *by_pci_id.values()]


def _device(gpu: Gpu, index: int, root: Path, environment: Mapping[str, str]) -> Device:
    override = override_for(index, environment)
    gfx = from_override(override or "") or gpu.gfx
    own_override = environment.get(f"{OVERRIDE}_{index}")
    return Device(
        backend=_BACKEND,
        id=gpu.uuid or gpu.pci_id or str(index),
        name=f"AMD{index}",
        kind=DeviceKind.INTEGRATED if gpu.is_integrated else DeviceKind.GPU,
        description=gpu.name or "AMD GPU",
        pci_id=gpu.pci_id,
        uuid=gpu.uuid,
        total_bytes=gpu.total_bytes,
        free_bytes=gpu.free_bytes,
        compute=gfx,
        driver=gpu.driver,
        visibility={"ROCR_VISIBLE_DEVICES": gpu.uuid or str(index)} if gpu.has_compute else {},
        # Alone in a child the device has number 0 there, so the override for its number here has to hold for all.
        environment={OVERRIDE: own_override} if own_override else {},
        reported_by=("rocm",),
        unusable=_why_unusable(gpu, root),
        facts=_facts(gpu, gfx),
    )


def _why_unusable(gpu: Gpu, root: Path) -> Unusable:
    if not gpu.has_compute:
        return _NO_COMPUTE
    kfd = root / "dev/kfd"
    return _NO_ACCESS if kfd.exists() and not os.access(kfd, os.R_OK | os.W_OK) else _NO_RUNNER


def _facts(gpu: Gpu, gfx: str) -> dict[str, str]:
    sizes = {"vram_bytes": gpu.vram_total, "gtt_bytes": gpu.gtt_total}
    facts = {name: str(size) for name, size in sizes.items() if size is not None}
    return {**facts, "physical_gfx": gpu.gfx} if gfx != gpu.gfx else facts
