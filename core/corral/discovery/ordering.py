"""In which order devices are preferred."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.devices import Device, DeviceKind

if TYPE_CHECKING:
    from collections.abc import Iterable

_PREFERENCE = (DeviceKind.GPU, DeviceKind.INTEGRATED, DeviceKind.ACCELERATOR, DeviceKind.CPU)


def in_order(devices: Iterable[Device]) -> list[Device]:
    """Return discrete GPUs, integrated ones, accelerators and the host; within a kind usable ones first, most free memory first.

    What is equal in all that keeps one order, however the reports came in.
    """
    return sorted(devices, key=_rank)


def _rank(device: Device) -> tuple[int, bool, int, str, str, str]:
    kind = _PREFERENCE.index(device.kind)
    return kind, device.unusable is not None, -(device.free_bytes or 0), device.backend, device.pci_id or "", device.name
