"""Decide where a model goes: its last layers on GPUs, as many as fit, and the rest on the host."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from corral.devices import Placement
from corral.placement import rooms
from corral.placement.compute import compute_bytes
from corral.placement.demand import demands
from corral.placement.layout import choose
from corral.placement.mapping import use_mmap
from corral.placement.site import survey
from corral.placement.sizes import host_need, layer_bytes, room, share_of
from corral.placement.verdict import Shortage
from corral.placement.wording import shortfall, why_less

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.devices import Device, Share
    from corral.placement.demand import Demand
    from corral.placement.footprint import Footprint
    from corral.placement.site import Site
    from corral.placement.verdict import Conditions, Verdict
    from corral.settings import Settings
    from corral.spec import ModelSpec

# More sequences at once than one must leave this part of the host's memory to others.
_MODEST = 0.5


#: Layers by index, and what the device that takes them holds.
Parts: TypeAlias = "tuple[tuple[range, Share], ...]"


def place(
    model: ModelSpec,
    footprint: Footprint,
    devices: Sequence[Device],
    settings: Settings,
    conditions: Conditions,
    *,
    system: str = sys.platform,
) -> Verdict:
    """Return where the model goes, or the shortage that stands against it. Raises InvalidOption for an unknown device."""
    verdict = _best(survey(model, footprint, devices, settings, conditions, system=system))
    if not isinstance(verdict, Shortage) or not conditions.taken:
        return verdict
    alone = replace(conditions, whole=False, taken={})
    empty = rooms.emptied(devices, conditions.taken)
    without_others = _best(survey(model, footprint, empty, settings, alone, system=system))
    return replace(without_others, is_hopeless=True) if isinstance(without_others, Shortage) else verdict


def _best(site: Site) -> Verdict:
    """Return the verdict on the largest automatic values with which all layers are where they should be, or on the smallest."""
    gpu_bytes = sum(device.total_bytes or 0 for device in site.gpus)
    has_flash = rooms.all_flash(site.gpus)
    verdict: Verdict | None = None
    for demand in demands(site.model, site.footprint, gpu_bytes=gpu_bytes, has_flash=has_flash, conditions=site.conditions):
        verdict = _try(site, demand)
        if isinstance(verdict, Placement) and _is_comfortable(site, verdict):
            break
    assert verdict is not None
    return verdict


def _is_comfortable(site: Site, placement: Placement) -> bool:
    if placement.gpu_layers < site.wanted:
        return False
    is_modest = site.host.free_bytes is None or placement.host_bytes <= _MODEST * site.host.free_bytes
    return is_modest or placement.parallel == 1


def _try(site: Site, demand: Demand) -> Verdict:
    parts = _parts(site, demand)
    placement = _placement(site, demand, () if _is_too_much_for_metal(site, parts) else parts)
    if site.conditions.whole and placement.gpu_layers < site.wanted:
        return _gpu_shortage(site, demand, placement)
    shortage = site.host.shortage(site.model.name, placement.host_bytes, whole=site.conditions.whole)
    return shortage or placement


def _parts(site: Site, demand: Demand) -> Parts:
    """Return what the devices of the best group take, in the order of the layers."""
    if not site.groups:
        return ()
    rooms_by_group = [[room(site, demand, device, is_first=device is group[0]) for device in group] for group in site.groups]
    index, layout = choose(
        layer_bytes(site, demand),
        rooms_by_group,
        requested=site.requested,
        force=not site.conditions.whole,
        spread=site.settings.spread,
    )
    used = [(layers, share_of(site, demand, device, layers)) for device, layers in zip(site.groups[index], layout, strict=True) if layers]
    return tuple(sorted(used, key=lambda part: part[0].start))


def _placement(site: Site, demand: Demand, parts: Parts) -> Placement:
    shares = tuple(share for _, share in parts)
    placed = sum(share.layers for share in shares)
    has_output = not parts or parts[-1][0].stop < site.footprint.total_layers
    need = host_need(site, demand, placed, has_output=has_output)
    cache_bytes = need.cache_bytes + sum(share.cache_bytes for share in shares)
    placement = Placement(
        shares=shares,
        total_layers=site.footprint.total_layers,
        output_on_host=bool(placed) and has_output,
        host_bytes=need.total_bytes,
        parking_bytes=0 if site.model.facts.is_embedding else site.host.parking_bytes(need.total_bytes, cache_bytes),
        context_tokens=demand.context_tokens,
        parallel=demand.parallel,
        batch_tokens=demand.batch_tokens,
        threads=site.options.num_thread or site.host.threads,
        flash_attention=demand.flash_attention,
        cache_type_k=demand.cache_types[0],
        cache_type_v=demand.cache_types[1],
    )
    reason, notices = why_less(site, placement)
    return replace(placement, use_mmap=use_mmap(site, placement), reason=reason, notices=(*demand.notices, *notices))


def _is_too_much_for_metal(site: Site, parts: Parts) -> bool:
    """Return whether a Mac would hang: a part of a model that is larger than its memory may be placed, and then stops it."""
    total = site.host.total_bytes
    return site.system == "darwin" and total is not None and sum(share.total_bytes for _, share in parts) > total


def _gpu_shortage(site: Site, demand: Demand, placement: Placement) -> Shortage:
    required = sum(layer_bytes(site, demand)) + compute_bytes(site.footprint, demand, has_output=False)
    available = sum(site.free[device.key] for device in site.gpus)
    return Shortage(reason=shortfall(site, placement), required_bytes=required, available_bytes=available)
