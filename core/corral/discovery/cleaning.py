"""Take out of a report what can't be true."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corral.discovery.identity import normal_pci_id

if TYPE_CHECKING:
    from corral.devices import Device


def clean(device: Device, plugin: str) -> Device:
    """Return the device with a canonical PCI id, possible amounts of memory, and its reporter."""
    total = device.total_bytes if device.total_bytes is not None and device.total_bytes > 0 else None
    return replace(
        device,
        pci_id=normal_pci_id(device.pci_id),
        total_bytes=total,
        free_bytes=_possible(device.free_bytes, total),
        reported_by=device.reported_by or (plugin,),
    )


def _possible(free: int | None, total: int | None) -> int | None:
    """Return free memory, unless it is negative or more than there is: then nobody knows it."""
    if free is None or free < 0 or (total is not None and free > total):
        return None
    return free
