"""What is known of one AMD GPU, put together from several sources."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

_GIB = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """Facts of a GPU; None and empty mean unknown. Memory is in bytes."""

    pci_id: str | None = None
    name: str = ""
    uuid: str | None = None
    gfx: str = ""
    driver: str = ""
    vram_total: int | None = None
    vram_used: int | None = None
    #: Memory of the host that the GPU may use (the graphics translation table).
    gtt_total: int | None = None
    gtt_used: int | None = None
    #: Whether the board has memory chips of its own, as far as its firmware tells.
    has_board: bool = False
    #: Whether the compute driver (KFD) lists it; without, only Vulkan can compute on it.
    has_compute: bool = False

    @property
    def is_integrated(self) -> bool:
        """Return whether it is part of the processor: little memory of its own, and much of the host's."""
        vram, gtt = self.vram_total, self.gtt_total
        if self.has_board or vram is None or gtt is None:
            return False
        return vram <= 4 * _GIB and gtt >= 8 * _GIB and gtt >= 4 * vram

    @property
    def total_bytes(self) -> int | None:
        """Return its memory, which includes the host's for an integrated one."""
        if self.vram_total is None:
            return None
        return self.vram_total + (self.gtt_total or 0 if self.is_integrated else 0)

    @property
    def free_bytes(self) -> int | None:
        """Return what is free of that."""
        if self.vram_total is None or self.vram_used is None:
            return None
        gtt = (self.gtt_total or 0) - (self.gtt_used or 0) if self.is_integrated else 0
        return max(self.vram_total - self.vram_used, 0) + max(gtt, 0)


def complete(gpu: Gpu, other: Gpu) -> Gpu:
    """Return the first with what only the second knows."""
    unknown = (None, "", False)
    return replace(gpu, **{f.name: getattr(other, f.name) for f in fields(Gpu) if getattr(gpu, f.name) in unknown})
