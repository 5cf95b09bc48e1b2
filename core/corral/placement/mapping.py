"""Whether the weights' file is mapped into memory, or read into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral.devices import Placement
    from corral.placement.site import Site


def use_mmap(site: Site, placement: Placement) -> bool:
    """Return what was asked for, else what is known to work well."""
    if site.options.use_mmap is not None:
        return site.options.use_mmap
    return not _is_better_read(site, placement)


def _is_better_read(site: Site, placement: Placement) -> bool:
    backends = {share.device.backend.lower() for share in placement.shares}
    is_partial = placement.gpu_layers < placement.total_layers
    # Mapped weights of a host-only model are paged in during the first answer, and out again when memory is short.
    if not backends or "vulkan" in backends:
        return True
    if site.system == "win32" and "cuda" in backends:
        return True
    if backends & {"metal", "mtl"} and is_partial:
        return True
    # Mapping more than is free makes the system read the file over and over.
    free = site.host.free_bytes
    return site.system == "linux" and free is not None and free < site.footprint.file_bytes
