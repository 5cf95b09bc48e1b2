"""Say in words why a placement is less than it could be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.placement.host import size_text
from corral.runners import Notice

if TYPE_CHECKING:
    from corral.devices import Device, Placement
    from corral.placement.site import Site


def why_less(site: Site, placement: Placement) -> tuple[str, tuple[Notice, ...]]:
    """Return why not every layer is on a GPU, and the notices of what nobody asked for."""
    if placement.gpu_layers == placement.total_layers:
        return "", ()
    if site.requested is not None and placement.gpu_layers >= site.wanted:
        return _requested(site), ()
    if not site.gpus:
        return _no_gpu(site)
    reason = shortfall(site, placement)
    code = "partial_offload" if placement.gpu_layers else "cpu_fallback"
    return reason, (Notice(code=code, message=reason),)


def shortfall(site: Site, placement: Placement) -> str:
    """Say how many layers fit and where memory is missing."""
    where = ", ".join(f"{device.name}: {_memory(site, device)}" for device in site.gpus)
    return f"{placement.gpu_layers} of {placement.total_layers} layers of {site.model.name} fit on GPUs ({where})"


def _memory(site: Site, device: Device) -> str:
    if device.free_bytes is None and device.total_bytes is None:
        return "nobody knows its memory; set num_gpu to use it"
    return f"{size_text(site.free[device.key])} free"


def _requested(site: Site) -> str:
    if site.options.device and not site.groups:
        return "pinned to the host"
    return f"num_gpu is {site.options.num_gpu}" if site.gpus else _no_gpu(site)[0]


def _no_gpu(site: Site) -> tuple[str, tuple[Notice, ...]]:
    if not site.unusable:
        return "no GPU was found", ()
    reason = "; ".join(_why_unusable(site, device) for device in site.unusable)
    return reason, (Notice(code="cpu_fallback", message=reason),)


def _why_unusable(site: Site, device: Device) -> str:
    name = device.description or device.name
    if device.unusable is None:
        return f"runner '{site.model.runner.name}' can't use {name}"
    remedy = f" ({device.unusable.remedy})" if device.unusable.remedy else ""
    return f"{name} is unusable: {device.unusable.reason}{remedy}"
