"""Decide where a model goes: its last layers on GPUs, as many as fit, and the rest on the host."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from corral.devices import Placement, Share
from corral.placement import rooms
from corral.placement.compute import compute_bytes, input_bytes
from corral.placement.demand import demands
from corral.placement.layout import Room, arrange, count
from corral.placement.mapping import use_mmap
from corral.placement.site import survey
from corral.placement.verdict import Shortage
from corral.placement.wording import shortfall, why_less

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.devices import Device
    from corral.placement.demand import Demand
    from corral.placement.footprint import Footprint
    from corral.placement.layout import Layout
    from corral.placement.site import Site
    from corral.placement.verdict import Conditions, Verdict
    from corral.settings import Settings
    from corral.spec import ModelSpec

#: What runners call the host's memory.
_HOST_NAME = "CPU"
# More sequences at once than one must leave this part of the host's memory to others.
_MODEST = 0.5
# A GPU that does not say how much memory it has gets layers only when somebody insists on a number of them.
_UNKNOWN_BYTES = 1 << 40


def place(
    model: ModelSpec,
    footprint: Footprint,
    devices: Sequence[Device],
    settings: Settings,
    conditions: Conditions,
    *,
    system: str = sys.platform,
) -> Verdict:
    """Return where the model goes, or the shortage that stands against it. Raises InvalidOption for an unknown device.

    Values left to corral are the largest with which all layers are where they should be; when there are none, the smallest.
    """
    site = survey(model, footprint, devices, settings, conditions, system=system)
    gpu_bytes = sum(device.total_bytes or 0 for device in site.gpus)
    verdict: Verdict | None = None
    for demand in demands(model, footprint, gpu_bytes=gpu_bytes, has_flash=rooms.all_flash(site.gpus), conditions=conditions):
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
    shares = _shares(site, demand)
    if _is_too_much_for_metal(site, shares):
        shares = ()
    placement = _placement(site, demand, shares)
    if site.conditions.whole and placement.gpu_layers < site.wanted:
        return _gpu_shortage(site, demand, placement)
    shortage = site.host.shortage(site.model.name, placement.host_bytes, whole=site.conditions.whole)
    return shortage or placement


def _shares(site: Site, demand: Demand) -> tuple[Share, ...]:
    """Return the shares of the group that takes the most layers, the first of equals, in the order of the layers."""
    best: list[tuple[range, Share]] = []
    for group in site.groups:
        layout = _layout(site, demand, group)
        if count(layout) > sum(len(layers) for layers, _ in best):
            best = [(layers, _share(site, demand, device, layers)) for device, layers in zip(group, layout, strict=True) if layers]
    return tuple(share for _, share in sorted(best, key=lambda pair: pair[0].start))


def _layout(site: Site, demand: Demand, group: Sequence[Device]) -> Layout:
    return arrange(
        [sum(sizes) for sizes in zip(*_layers(site, demand), strict=True)],
        [_room(site, demand, device, is_first=device is group[0]) for device in group],
        requested=site.requested,
        force=not site.conditions.whole,
        spread=site.settings.spread,
        # llama.cpp counts layers from the output backwards: it can't leave the output behind and take a block.
        keep_output=True,
    )


def _layers(site: Site, demand: Demand) -> tuple[list[int], list[int]]:
    """Return the weights and the cache of each layer."""
    footprint = site.footprint
    return footprint.layer_weights(), footprint.layer_caches(demand.cells, demand.sequences, demand.cache_types)


def _room(site: Site, demand: Demand, device: Device, *, is_first: bool) -> Room:
    """Return what is left for layers once the device's own needs, the batch and (on the first one) the projector are met."""
    is_unknown = device.free_bytes is None and device.total_bytes is None and site.requested is not None
    reserved = rooms.minimum_bytes(device) + site.settings.gpu_overhead_bytes + _compute(site, demand, device)
    reserved += site.footprint.projector_bytes if is_first else 0
    free = _UNKNOWN_BYTES if is_unknown else site.free[device.key]
    return Room(free_bytes=max(0, free - reserved), is_integrated=device.kind.value == "integrated")


def _compute(site: Site, demand: Demand, device: Device) -> int:
    """Return the buffers of a batch, corrected by what earlier loads of the model really took."""
    return max(0, compute_bytes(site.footprint, demand) + site.conditions.corrections.get(device.name, 0))


def _share(site: Site, demand: Demand, device: Device, layers: range) -> Share:
    weights, caches = _layers(site, demand)
    return Share(
        device=device,
        layers=len(layers),
        weights_bytes=sum(weights[index] for index in layers),
        cache_bytes=sum(caches[index] for index in layers),
        compute_bytes=_compute(site, demand, device),
    )


def _host_bytes(site: Site, demand: Demand, placed: int) -> int:
    """Return what the host holds: the embeddings, the layers that are nowhere else, and its part of each batch."""
    footprint = site.footprint
    weights, caches = _layers(site, demand)
    left = footprint.total_layers - placed
    # On the host, a head that is tied to the embeddings is the embeddings themselves.
    output = -footprint.tied_bytes if left == footprint.total_layers else 0
    batch = compute_bytes(footprint, demand) if left else input_bytes(footprint, demand)
    logits = 4 * footprint.vocabulary_size * demand.sequences
    projector = 0 if placed else footprint.projector_bytes
    correction = site.conditions.corrections.get(_HOST_NAME, 0)
    needed = footprint.input_bytes + sum(weights[:left]) + output + sum(caches[:left]) + batch + logits + projector
    return max(0, needed + correction)


def _placement(site: Site, demand: Demand, shares: tuple[Share, ...]) -> Placement:
    placed = sum(share.layers for share in shares)
    placement = Placement(
        shares=shares,
        total_layers=site.footprint.total_layers,
        host_bytes=_host_bytes(site, demand, placed),
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


def _is_too_much_for_metal(site: Site, shares: tuple[Share, ...]) -> bool:
    """Return whether a Mac would hang: a part of a model that is larger than its memory may be placed, and then stops it."""
    total = site.host.total_bytes
    return site.system == "darwin" and total is not None and sum(share.total_bytes for share in shares) > total


def _gpu_shortage(site: Site, demand: Demand, placement: Placement) -> Shortage:
    required = sum(sum(sizes) for sizes in _layers(site, demand)) + compute_bytes(site.footprint, demand)
    available = sum(site.free[device.key] for device in site.gpus)
    return Shortage(reason=shortfall(site, placement), required_bytes=required, available_bytes=available)
