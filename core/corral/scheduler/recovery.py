"""Wait until the memory of a stopped runner is free again.

Drivers count it as taken for half a second or longer after the process has ended. A load planned before that would find
too little and put fewer layers on the GPU than it could.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.devices import DeviceKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from corral.devices import Device, Placement

#: The part of a runner's memory that must have come back.
ENOUGH = 0.75
POLL_S = 0.25


def free_bytes(devices: Sequence[Device]) -> Mapping[tuple[str, str], int]:
    """Return the free memory of the devices that say it, by key."""
    return {device.key: device.free_bytes for device in devices if device.free_bytes is not None}


def has_recovered(placement: Placement, before: Mapping[tuple[str, str], int], now: Mapping[tuple[str, str], int]) -> bool:
    """Return whether enough memory is free again on each discrete GPU of a placement.

    The difference is signed: when another process takes memory meanwhile, the wait goes on instead of ending at once.
    Devices that can't be compared are not waited for.
    """
    for share in placement.shares:
        key = share.device.key
        can_be_compared = share.device.is_measured and key in before and key in now
        if share.device.kind is not DeviceKind.GPU or not can_be_compared:
            continue
        if now[key] - before[key] < ENOUGH * share.total_bytes:
            return False
    return True
