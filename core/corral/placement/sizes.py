"""What each device would hold of a model, and what it has room for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.devices import DeviceKind, Share
from corral.placement.compute import compute_bytes, input_bytes
from corral.placement.layout import Room
from corral.placement.verdict import HOST_NAME

if TYPE_CHECKING:
    from corral.devices import Device
    from corral.placement.demand import Demand
    from corral.placement.site import Site

# A GPU that does not say how much memory it has gets layers only when somebody insists on a number of them.
_UNKNOWN_BYTES = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class HostNeed:
    """What the host would hold, in bytes; `compute_bytes` has the logits, and what earlier loads were off by."""

    weights_bytes: int
    cache_bytes: int
    compute_bytes: int

    @property
    def total_bytes(self) -> int:
        """Return all of it."""
        return max(0, self.weights_bytes + self.cache_bytes + self.compute_bytes)


def layer_bytes(site: Site, demand: Demand) -> list[int]:
    """Return what each layer takes: weights, cache, and for the output layer the logits of a batch."""
    sizes = [sum(parts) for parts in zip(*_layers(site, demand), strict=True)]
    sizes[-1] += _output_extra(site, demand)
    return sizes


def _output_extra(site: Site, demand: Demand) -> int:
    """Return how much larger a batch's buffers are where the output layer is."""
    with_output, without = (compute_bytes(site.footprint, demand, has_output=has) for has in (True, False))
    return with_output - without


def _layers(site: Site, demand: Demand) -> tuple[list[int], list[int]]:
    footprint = site.footprint
    return footprint.layer_weights(), footprint.layer_caches(demand.cells, demand.sequences, demand.cache_types)


def reserved_bytes(site: Site, device: Device, *, is_first: bool) -> int:
    """Return what no layer may take: the device's own needs, the overhead that was set, the files beside the weights on the first one."""
    companions = site.footprint.companion_bytes if is_first else 0
    return device.minimum_bytes + site.settings.gpu_overhead_bytes + companions


def room(site: Site, demand: Demand, device: Device, *, is_first: bool) -> Room:
    """Return what is left for layers."""
    is_unknown = device.free_bytes is None and device.total_bytes is None and site.requested is not None
    free = _UNKNOWN_BYTES if is_unknown else site.free[device.key]
    left = free - reserved_bytes(site, device, is_first=is_first) - batch_bytes(site, demand, device, has_output=False)
    return Room(free_bytes=max(0, left), is_integrated=device.kind is DeviceKind.INTEGRATED)


def batch_bytes(site: Site, demand: Demand, device: Device, *, has_output: bool) -> int:
    """Return the buffers of a batch on a device, corrected by what earlier loads of the model really took."""
    return max(0, compute_bytes(site.footprint, demand, has_output=has_output) + site.conditions.corrections.get(device.name, 0))


def share_of(site: Site, demand: Demand, device: Device, layers: range) -> Share:
    """Return what a device would hold with these layers."""
    weights, caches = _layers(site, demand)
    return Share(
        device=device,
        layers=len(layers),
        weights_bytes=sum(weights[index] for index in layers),
        cache_bytes=sum(caches[index] for index in layers),
        compute_bytes=batch_bytes(site, demand, device, has_output=layers.stop == site.footprint.total_layers),
    )


def host_need(site: Site, demand: Demand, placed: int, *, has_output: bool) -> HostNeed:
    """Return what the host would hold: the embeddings, the layers that are nowhere else, and its part of each batch."""
    footprint = site.footprint
    weights, caches = _layers(site, demand)
    left = blocks_left(footprint.total_layers, placed, has_output=has_output)
    # On the host, a head that is tied to the embeddings is the embeddings themselves.
    output = footprint.output_bytes - footprint.tied_bytes if has_output else 0
    companions = 0 if placed else footprint.companion_bytes
    computes = left or has_output
    batch = compute_bytes(footprint, demand, has_output=has_output) if computes else input_bytes(footprint, demand)
    logits = 4 * footprint.vocabulary_size * demand.sequences
    return HostNeed(
        weights_bytes=footprint.input_bytes + sum(weights[:left]) + output + companions,
        cache_bytes=sum(caches[:left]),
        compute_bytes=batch + logits + site.conditions.corrections.get(HOST_NAME, 0),
    )


def blocks_left(total_layers: int, placed: int, *, has_output: bool) -> int:
    """Return how many blocks stay on the host when that many layers are placed, the output layer among them or not."""
    return total_layers - placed - (1 if has_output else 0)
