"""Which devices a model may use, in which order, and how much memory each of them has for it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from corral.devices import DeviceKind
from corral.errors import InvalidOption
from corral.placement.verdict import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from corral.devices import Device
    from corral.options import LoadOptions
    from corral.placement.verdict import Conditions

# After running out of memory, the part of what is free that nothing is placed in.
_RESERVE = 0.1
LAYER_KINDS = (DeviceKind.GPU, DeviceKind.INTEGRATED)


def free_after(reported: int | None, total: int | None, taken: int) -> int:
    """Return the memory that is free once loaded models have what they need; 0 when nobody knows.

    The smaller of what the driver says and what our own books say: drivers lag behind, and other programs take memory too.
    """
    known = [size for size in (reported, None if total is None else total - taken) if size is not None]
    return max(0, min(known, default=0))


def free_bytes(device: Device, host_free: int | None, conditions: Conditions) -> int:
    """Return what a device has for a new model, all reserves still included."""
    free = free_after(device.free_bytes, device.total_bytes, conditions.taken.get(device.key, 0))
    if device.kind is DeviceKind.INTEGRATED and host_free is not None:
        # Its memory is the host's.
        free = min(free, host_free)
    return int(free * (1 - _RESERVE)) if conditions.reduced else free


def emptied(devices: Sequence[Device], taken: Mapping[tuple[str, str], int]) -> list[Device]:
    """Return the devices as they would be if the models that take their memory were gone."""
    return [replace(device, free_bytes=_emptied_bytes(device, taken)) for device in devices]


def _emptied_bytes(device: Device, taken: Mapping[tuple[str, str], int]) -> int | None:
    if device.free_bytes is None:
        return None
    key = HOST if device.kind is DeviceKind.CPU else device.key
    free = device.free_bytes + taken.get(key, 0)
    return free if device.total_bytes is None else min(free, device.total_bytes)


def gpus(devices: Sequence[Device], runner: str) -> list[Device]:
    """Return the devices that a runner can put layers on."""
    return [d for d in devices if d.kind in LAYER_KINDS and d.unusable is None and runner in d.runners]


def by_preference(devices: Sequence[Device], free: Mapping[tuple[str, str], int]) -> list[Device]:
    """Return discrete devices before integrated ones, those with more memory first."""
    return sorted(devices, key=lambda d: (d.kind is DeviceKind.INTEGRATED, -free[d.key]))


def by_backend(devices: Sequence[Device]) -> list[list[Device]]:
    """Return the devices of each backend; a model is not spread over two of them."""
    groups: dict[str, list[Device]] = {}
    for device in devices:
        groups.setdefault(device.backend, []).append(device)
    return list(groups.values())


def pinned(devices: Sequence[Device], options: LoadOptions) -> list[Device] | None:
    """Return the devices that the options name, in their order; None when they name none. Raises InvalidOption.

    "cpu" names no device: the model stays on the host.
    """
    if options.device:
        return [_named(devices, name) for name in options.device if name.lower() != "cpu"]
    if options.main_gpu is None or not devices:
        return None
    if not 0 <= options.main_gpu < len(devices):
        raise InvalidOption(f"there is no GPU {options.main_gpu} (main_gpu counts from 0; usable: {_names(devices)})")
    return [devices[options.main_gpu]]


def _named(devices: Sequence[Device], name: str) -> Device:
    wanted = name.lower()
    for device in devices:
        if wanted in (
            device.id.lower(),
            device.name.lower(),
            device.pci_id,
            (device.uuid or "").lower(),
            f"{device.backend}:{device.id}".lower(),
        ):
            return device
    raise InvalidOption(f"there is no usable device '{name}' (usable: {_names(devices)})")


def _names(devices: Sequence[Device]) -> str:
    return ", ".join(device.name for device in devices) or "none"


def all_flash(devices: Sequence[Device]) -> bool:
    """Return whether flash attention works on all of these devices."""
    return all(_has_flash(device) for device in devices)


def _has_flash(device: Device) -> bool:
    """CUDA needs compute capability 6.0 or more; 7.2 lacks it. What is unknown is allowed."""
    found = re.fullmatch(r"(\d+)\.(\d+)", device.compute)
    if device.backend != "CUDA" or found is None:
        return True
    capability = (int(found[1]), int(found[2]))
    return capability >= (6, 0) and capability != (7, 2)
