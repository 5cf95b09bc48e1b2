"""How much of the host's memory there is, and how much a model may take now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from corral_cpu.files import read_table

if TYPE_CHECKING:
    from pathlib import Path

    from corral_cpu.limits import Limits

_KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Memory of the host within the limits of its control group, in bytes."""

    total_bytes: int
    free_bytes: int
    swap_total_bytes: int
    swap_free_bytes: int


def read_memory(root: Path, limits: Limits) -> Memory:
    """Return what the file tree at `root` says, or the operating system where there is no such tree."""
    table = {name: kib * _KIB for name, kib in read_table(root / "proc/meminfo").items()} or _ask_system()
    total = table.get("MemTotal", 0)
    free = table.get("MemAvailable", sum(table.get(name, 0) for name in ("MemFree", "Buffers", "Cached")))
    swap_free = table.get("SwapFree", 0)
    return Memory(
        total_bytes=min(total, _or(limits.memory_bytes, total)),
        # A limit does not make memory: the host may have less left than the group still allows.
        free_bytes=min(free, _or(limits.available_bytes, free)),
        swap_total_bytes=table.get("SwapTotal", 0),
        swap_free_bytes=min(swap_free, _or(limits.swap_available_bytes, swap_free)),
    )


def _ask_system() -> dict[str, int]:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    return {"MemTotal": memory.total, "MemAvailable": memory.available, "SwapTotal": swap.total, "SwapFree": swap.free}


def _or(limit: int | None, otherwise: int) -> int:
    return otherwise if limit is None else limit
