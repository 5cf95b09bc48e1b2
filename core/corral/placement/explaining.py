"""Explain a placement in figures: what each device has, what is kept free, what the model takes, and what one layer more needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.placement.demand import Demand
from corral.placement.sizes import batch_bytes, blocks_left, host_need, layer_bytes, reserved_bytes

if TYPE_CHECKING:
    from corral.devices import Device, Placement
    from corral.placement.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One device: `free - reserved - weights - cache - compute = left`, all in bytes; `left` is negative when layers were forced."""

    device: str
    description: str
    backend: str
    kind: str
    total_bytes: int | None
    free_bytes: int
    reserved_bytes: int
    layers: int
    weights_bytes: int
    cache_bytes: int
    compute_bytes: int
    left_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAccount:
    """The host: `free - weights - cache - compute - parking = left`, all in bytes; None where nobody knows, negative for swap."""

    layers: int
    weights_bytes: int
    cache_bytes: int
    compute_bytes: int
    parking_bytes: int
    total_bytes: int | None
    free_bytes: int | None
    left_bytes: int | None
    swap_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A placement, the books behind it, and in words why it is not better."""

    placement: Placement
    devices: tuple[Account, ...]
    host: HostAccount
    #: What the next layer would take on a GPU; 0 when all of them are there.
    next_layer_bytes: int
    reasons: tuple[str, ...]


def explain(site: Site, placement: Placement) -> Explanation:
    """Return the books of a placement that was decided on that site."""
    demand = Demand(
        context_tokens=placement.context_tokens,
        parallel=placement.parallel,
        batch_tokens=placement.batch_tokens,
        cache_types=(placement.cache_type_k, placement.cache_type_v),
        flash_attention=placement.flash_attention,
    )
    sizes = layer_bytes(site, demand)
    left = blocks_left(placement.total_layers, placement.gpu_layers, has_output=_has_output(placement))
    accounts = tuple(_account(site, demand, device, placement) for device in site.gpus)
    next_layer = sizes[left - 1] if left else sizes[-1] if _has_output(placement) else 0
    return Explanation(
        placement=placement,
        devices=accounts,
        host=_host(site, demand, placement),
        next_layer_bytes=next_layer,
        reasons=tuple(filter(None, (placement.reason, *(notice.message for notice in placement.notices)))),
    )


def _has_output(placement: Placement) -> bool:
    """Return whether the host has the output layer."""
    return placement.output_on_host or not placement.shares


def _account(site: Site, demand: Demand, device: Device, placement: Placement) -> Account:
    share = next((part for part in placement.shares if part.device.key == device.key), None)
    weights, cache = (share.weights_bytes, share.cache_bytes) if share else (0, 0)
    is_first = any(group[0] is device for group in site.groups)
    reserved = reserved_bytes(site, device, is_first=is_first)
    compute = share.compute_bytes if share else batch_bytes(site, demand, device, has_output=False)
    return Account(
        device=device.name,
        description=device.description,
        backend=device.backend,
        kind=device.kind.value,
        total_bytes=device.total_bytes,
        free_bytes=site.free[device.key],
        reserved_bytes=reserved,
        layers=share.layers if share else 0,
        weights_bytes=weights,
        cache_bytes=cache,
        compute_bytes=compute,
        left_bytes=site.free[device.key] - reserved - weights - cache - compute,
    )


def _host(site: Site, demand: Demand, placement: Placement) -> HostAccount:
    need = host_need(site, demand, placement.gpu_layers, has_output=_has_output(placement))
    free = site.host.free_bytes
    return HostAccount(
        layers=placement.total_layers - placement.gpu_layers,
        weights_bytes=need.weights_bytes,
        cache_bytes=need.cache_bytes,
        compute_bytes=need.compute_bytes,
        parking_bytes=placement.parking_bytes,
        total_bytes=site.host.total_bytes,
        free_bytes=free,
        left_bytes=None if free is None else free - placement.host_bytes - placement.parking_bytes,
        swap_bytes=site.host.swap_bytes,
    )
