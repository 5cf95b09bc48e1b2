"""Which devices are of no use, though they work."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corral.devices import Device, DeviceKind, Unusable

if TYPE_CHECKING:
    from collections.abc import Iterable

_MIB = 1024 * 1024

LOST = Unusable(
    "lost: it was there before, and is not found any more",
    "`corral doctor` says what its plugin finds; after a suspend, its driver may have to be loaded again",
)


def without_dwarfs(devices: Iterable[Device]) -> list[Device]:
    """Return the devices, those marked unusable whose memory could not even hold what a runner needs for itself."""
    return [replace(device, unusable=_too_small(device)) if _is_dwarf(device) else device for device in devices]


def _is_dwarf(device: Device) -> bool:
    if device.kind not in (DeviceKind.GPU, DeviceKind.INTEGRATED) or device.unusable is not None:
        return False
    # What is on no bus of this machine has its overhead elsewhere.
    is_local = device.pci_id is not None
    return is_local and device.total_bytes is not None and device.total_bytes < device.minimum_bytes


def _too_small(device: Device) -> Unusable:
    has_mib, needs_mib = (device.total_bytes or 0) // _MIB, device.minimum_bytes // _MIB
    reason = f"has {has_mib} MiB of memory, and a runner needs {needs_mib} MiB for itself"
    return Unusable(reason, "give it more memory in the firmware's setup, or use another device")
