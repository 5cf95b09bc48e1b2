"""Everything a placement is decided from, gathered once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.options import LoadOptions
from corral.placement import rooms
from corral.placement.host import host_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from corral.devices import Device
    from corral.placement.footprint import Footprint
    from corral.placement.host import Host
    from corral.placement.verdict import Conditions
    from corral.settings import Settings
    from corral.spec import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A model, and the devices it may use: groups of one backend each, in the order of preference."""

    model: ModelSpec
    footprint: Footprint
    options: LoadOptions
    settings: Settings
    conditions: Conditions
    host: Host
    groups: tuple[tuple[Device, ...], ...]
    #: Memory for a new model, by the key of the device.
    free: Mapping[tuple[str, str], int]
    #: GPUs that nobody can use.
    unusable: tuple[Device, ...]
    system: str

    @property
    def gpus(self) -> tuple[Device, ...]:
        """Return all devices that may take layers."""
        return tuple(device for group in self.groups for device in group)

    @property
    def requested(self) -> int | None:
        """Return the number of layers that somebody insists on; None when it is left to corral."""
        if self.options.device and not self.groups:
            return 0
        return self.options.num_gpu if self.options.num_gpu >= 0 else None

    @property
    def wanted(self) -> int:
        """Return the number of layers that should be on GPUs."""
        total = self.footprint.total_layers if self.groups else 0
        return total if self.requested is None else min(self.requested, total)


def survey(
    model: ModelSpec, footprint: Footprint, devices: Sequence[Device], settings: Settings, conditions: Conditions, *, system: str
) -> Site:
    """Gather what a placement is decided from; raise InvalidOption when a device is named that is not there."""
    options = model.load or LoadOptions()
    host = host_of(devices, conditions)
    usable = rooms.gpus(devices, model.runner.name)
    free = {device.key: rooms.free_bytes(device, host.free_bytes, conditions) for device in usable}
    ordered = rooms.by_preference(usable, free)
    pinned = rooms.pinned(ordered, options)
    groups = rooms.by_backend(ordered) if pinned is None else [pinned] if pinned else []
    return Site(
        model=model,
        footprint=footprint,
        options=options,
        settings=settings,
        conditions=conditions,
        host=host,
        groups=tuple(tuple(group) for group in groups),
        free=free,
        unusable=tuple(d for d in devices if d.kind in rooms.LAYER_KINDS and d not in usable),
        system=system,
    )
