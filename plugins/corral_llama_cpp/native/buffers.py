"""How much memory the library says that it took, and where."""

from __future__ import annotations

import re

_LINE = re.compile(r"^\S+:\s+(\S+) +(?:model|KV|RS|compute|output|LoRA) buffer size = +([\d.]+) MiB")
_MIB = 1024 * 1024


def buffer_size(line: str) -> tuple[str, int] | None:
    """Return the device and the bytes of a buffer that a line of the load log tells of; None for other lines."""
    found = _LINE.match(line)
    return (device_of(found[1]), int(float(found[2]) * _MIB)) if found else None


def device_of(buffer: str) -> str:
    """Return the device of a buffer: `CPU_Mapped`, `CPU_REPACK` and pinned `*_Host` buffers are the host's memory."""
    name = buffer.removesuffix("_Mapped")
    return "CPU" if name.startswith("CPU") or name.endswith("_Host") else name
