"""The GPUs that NVIDIA's driver lists, whole ones and the parts of partitioned ones (MIG)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import psutil

from corral.devices import Absent, Device, DeviceKind, Unusable
from corral.discovery.identity import normal_pci_id
from corral_nvidia.session import NoDriver, help_for, open_driver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Answer = TypeVar("Answer")
Rest = TypeVar("Rest")

_BACKEND = "CUDA"
_WHEEL = "install a llama-cpp-python with CUDA: CMAKE_ARGS=-DGGML_CUDA=on pip install --force-reinstall --no-cache-dir llama-cpp-python"
_NO_RUNNER = Unusable("the driver sees it, but no installed runner can compute on it", _WHEEL)
_NO_PARTS = Unusable("it is partitioned (MIG), but has no partition", "make one: nvidia-smi mig -cgi ... -C")


def discover() -> list[Device | Absent]:
    """Return each GPU or partition; a call that fails costs one fact, or one GPU, and is reported."""
    try:
        with open_driver():
            return list(_all_devices())
    except NoDriver as error:
        return [Absent(_BACKEND, str(error), error.remedy)]


def _all_devices() -> Iterator[Device | Absent]:
    import pynvml

    try:
        count = pynvml.nvmlDeviceGetCount()
    except pynvml.NVMLError as error:
        yield Absent(_BACKEND, f"the driver can't count its GPUs: {error}", help_for(error))
        return
    if not count:
        yield Absent(_BACKEND, "the NVIDIA driver lists no GPU", "let the container or virtual machine have one")
    for index in range(count):
        try:
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            yield from _parts(_whole(handle, index), handle)
        except pynvml.NVMLError as error:
            yield Absent(_BACKEND, f"GPU {index} can't be asked: {error}", help_for(error) or "look for it in the kernel's log: dmesg")


def _whole(handle: object, index: int) -> Device:
    import pynvml

    pci_id = normal_pci_id(_ask(lambda: str(pynvml.nvmlDeviceGetPciInfo(handle).busId), ""))
    uuid = _ask(lambda: str(pynvml.nvmlDeviceGetUUID(handle)), None)
    major, minor = _ask(lambda: pynvml.nvmlDeviceGetCudaComputeCapability(handle), (0, 0))
    device = Device(
        backend=_BACKEND,
        id=uuid or pci_id or str(index),
        name=f"NVIDIA{index}",
        kind=DeviceKind.GPU,
        description=_ask(lambda: str(pynvml.nvmlDeviceGetName(handle)), "NVIDIA GPU"),
        pci_id=pci_id,
        uuid=uuid,
        compute=f"{major}.{minor}" if major else "",
        driver=_ask(lambda: str(pynvml.nvmlSystemGetDriverVersion()), ""),
        # Ordinals of the driver are not those of CUDA, so only a UUID can choose a device.
        visibility={"CUDA_VISIBLE_DEVICES": uuid} if uuid else {},
        reported_by=("nvidia",),
        unusable=_NO_RUNNER,
        facts=_version_facts(),
    )
    return _with_memory(device, handle)


def _parts(whole: Device, handle: object) -> Iterator[Device]:
    import pynvml

    current, _ = _ask(lambda: pynvml.nvmlDeviceGetMigMode(handle), (0, 0))
    if not current:
        yield whole
        return
    parts = list(_partitions(whole, handle))
    yield from parts or [replace(whole, unusable=_NO_PARTS)]


def _partitions(whole: Device, handle: object) -> Iterator[Device]:
    import pynvml

    for index in range(_ask(lambda: pynvml.nvmlDeviceGetMaxMigDeviceCount(handle), 0)):
        try:
            part = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index)
            uuid = str(pynvml.nvmlDeviceGetUUID(part))
        except pynvml.NVMLError:
            # Partitions may have gaps in their numbers.
            continue
        yield _with_memory(_partition(whole, part, uuid, index), part)


def _partition(whole: Device, part: object, uuid: str, index: int) -> Device:
    import pynvml

    return replace(
        whole,
        id=uuid,
        uuid=uuid,
        name=f"{whole.name}.{index}",
        description=_ask(lambda: str(pynvml.nvmlDeviceGetName(part)), whole.description),
        visibility={"CUDA_VISIBLE_DEVICES": uuid},
        facts={**whole.facts, "partition_of": whole.uuid or whole.id},
    )


def _with_memory(device: Device, handle: object) -> Device:
    """Return the device with its memory; a GPU that has none of its own shares the host's."""
    import pynvml

    try:
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    except pynvml.NVMLError_NotSupported:
        host = psutil.virtual_memory()
        facts = {**device.facts, "unified_memory": "yes"}
        # What CUDA calls free leaves out the caches that the kernel would drop.
        return replace(device, kind=DeviceKind.INTEGRATED, total_bytes=host.total, free_bytes=host.available, facts=facts)
    except pynvml.NVMLError:
        return replace(device, total_bytes=None, free_bytes=None)
    return replace(device, total_bytes=int(memory.total), free_bytes=int(memory.free))


def _version_facts() -> dict[str, str]:
    import pynvml

    version = _ask(lambda: int(pynvml.nvmlSystemGetCudaDriverVersion_v2()), 0)
    return {"cuda_driver": f"{version // 1000}.{version % 1000 // 10}"} if version else {}


def _ask(call: Callable[[], Answer], otherwise: Rest) -> Answer | Rest:
    """Return one fact, or something else when the driver does not know it."""
    import pynvml

    try:
        return call()
    except pynvml.NVMLError:
        return otherwise
