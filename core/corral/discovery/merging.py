"""Make one device out of all that is reported about it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corral.devices import Device, DeviceKind, Unusable
from corral.discovery.identity import NATIVE_BACKENDS, has_similar_memory, is_same, looks_same
from corral.discovery.visibility import hidden_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_NO_RUNNER = Unusable("no installed runner can compute on it", "install a plugin with a runner for it")


def merge(devices: Sequence[Device], environment: Mapping[str, str]) -> list[Device]:
    """Return one device for each physical one.

    What a runner reports is what can be used; what a vendor's library reports (it has no runners) makes memory reliable, and
    is listed as unusable where no runner reports the same device. `environment` is the user's, which may hide devices.
    """
    usable = _without_twins(device for device in devices if device.runners)
    views = [device for device in devices if not device.runners]
    merged = []
    taken: list[Device] = []
    for device in usable:
        chosen = _views_of(device, views)
        taken += chosen
        merged.append(_enriched(device, chosen))
    rest = _without_twins(view for view in views if not any(view is other for other in taken))
    return merged + [_explained(view, environment) for view in rest]


def _without_twins(devices: Iterable[Device]) -> list[Device]:
    kept: list[Device] = []
    for device in devices:
        twin = next((index for index, other in enumerate(kept) if is_same(device, other)), None)
        if twin is None:
            kept.append(device)
        else:
            kept[twin] = _one_of(kept[twin], device)
    return kept


def _one_of(first: Device, second: Device) -> Device:
    """Return the better of two reports of one device; several runners of one backend share it."""
    if first.backend == second.backend and (first.unusable is None) == (second.unusable is None):
        return replace(_enriched(first, [second]), id=first.id, runners=first.runners | second.runners)
    return min(first, second, key=lambda device: (device.unusable is not None, device.backend not in NATIVE_BACKENDS))


def _views_of(device: Device, views: Sequence[Device]) -> list[Device]:
    """Return what each vendor's plugin says of a device: its one match, or else the only one of similar memory."""
    by_reporter: dict[tuple[str, ...], list[Device]] = {}
    for view in views:
        if is_same(device, view) or looks_same(device, view):
            by_reporter.setdefault(view.reported_by, []).append(view)
    chosen = []
    for matches in by_reporter.values():
        # The parts of a partitioned GPU have one PCI id; a guess would give one part the memory of another.
        alike = matches if len(matches) == 1 else [view for view in matches if has_similar_memory(device, view)]
        chosen += alike if len(alike) == 1 else []
    return chosen


def _enriched(device: Device, views: Sequence[Device]) -> Device:
    for view in views:
        device = replace(
            device,
            id=view.uuid or device.uuid or device.id,
            kind=DeviceKind.INTEGRATED if DeviceKind.INTEGRATED in (device.kind, view.kind) else device.kind,
            description=device.description or view.description,
            pci_id=device.pci_id or view.pci_id,
            uuid=device.uuid or view.uuid,
            total_bytes=view.total_bytes if view.total_bytes is not None else device.total_bytes,
            free_bytes=view.free_bytes if view.free_bytes is not None else device.free_bytes,
            compute=device.compute or view.compute,
            driver=device.driver or view.driver,
            visibility=_visibility(device, view),
            environment={**device.environment, **view.environment},
            reported_by=tuple(dict.fromkeys((*device.reported_by, *view.reported_by))),
            facts={**view.facts, **device.facts},
        )
    return device


def _visibility(device: Device, view: Device) -> Mapping[str, str]:
    # A UUID is better than an ordinal, but only in the variable that the user's own restrictions leave in force.
    return view.visibility if view.uuid and set(view.visibility) == set(device.visibility) else device.visibility


def _explained(view: Device, environment: Mapping[str, str]) -> Device:
    if view.kind is DeviceKind.CPU:
        return view
    if variable := hidden_by(view, environment):
        hidden = Unusable(f"hidden from runners by {variable}={environment[variable]}", f"unset {variable}, or add this device to it")
        return replace(view, unusable=hidden)
    return replace(view, unusable=view.unusable or _NO_RUNNER)
