"""What the host has for a model, and whether that is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.devices import DeviceKind
from corral.placement.rooms import free_after
from corral.placement.verdict import HOST, Shortage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.devices import Device
    from corral.placement.verdict import Conditions

#: Memory for finished answers that may be continued: as much as the cache has, within these bounds, and this part of what nothing else
#: needs.
_LEAST_PARKING = 256 * 1024 * 1024
_MOST_PARKING = 4 * 1024 * 1024 * 1024
_PARKING_PART = 1 / 4

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The host's memory in bytes, and its threads. None is unknown, and stands against nothing."""

    total_bytes: int | None = None
    free_bytes: int | None = None
    swap_bytes: int = 0
    threads: int = 1

    def shortage(self, name: str, required: int, *, whole: bool) -> Shortage | None:
        """Return why that many bytes are too many. Swap counts as memory of last resort, not while others can go."""
        if self.free_bytes is None:
            return None
        available = self.free_bytes if whole else self.free_bytes + self.swap_bytes
        if required <= available:
            return None
        swap = f", {size_text(self.swap_bytes)} of it swap" if self.swap_bytes and not whole else ""
        reason = f"{name} requires {size_text(required)} of system memory, available is {size_text(available)}{swap}"
        return Shortage(reason=reason, required_bytes=required, available_bytes=available)

    def parking_bytes(self, required: int, cache: int) -> int:
        """Return what a runner that holds that many bytes may take later on; it is nothing that anything else would fail for."""
        wanted = min(max(cache, _LEAST_PARKING), _MOST_PARKING)
        if self.free_bytes is None:
            return wanted
        return min(wanted, int(max(0, self.free_bytes - required) * _PARKING_PART))


def host_of(devices: Sequence[Device], conditions: Conditions) -> Host:
    """Return what the host has left once loaded models have what they need."""
    device = next((d for d in devices if d.kind is DeviceKind.CPU), None)
    if device is None:
        return Host()
    free = None
    if device.free_bytes is not None:
        free = free_after(device.free_bytes, device.total_bytes, conditions.taken.get(HOST, 0))
    return Host(
        total_bytes=device.total_bytes,
        free_bytes=free,
        swap_bytes=_number(device, "swap_free_bytes", 0),
        threads=max(1, _number(device, "recommended_threads", 1)),
    )


def _number(device: Device, fact: str, default: int) -> int:
    text = device.facts.get(fact, "")
    return int(text) if text.isdecimal() else default


def size_text(size: int) -> str:
    """Return a size as people read it: "1.4 GiB"."""
    amount = float(size)
    for unit in _UNITS:
        if amount < 1024 or unit == _UNITS[-1]:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError(size)
