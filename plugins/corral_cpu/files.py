"""Read the small files of /proc and /sys, any of which may be missing, unreadable or odd."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def read_text(path: Path) -> str:
    """Return the content of a file without its last line break; empty when it can't be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def read_number(path: Path) -> int | None:
    """Return the number that is all of a file; None when there is none, as with `max`."""
    return to_number(read_text(path))


def to_number(text: str) -> int | None:
    """Return a decimal number; None for anything else."""
    try:
        return int(text)
    except ValueError:
        return None


def read_table(path: Path) -> dict[str, int]:
    """Return the numbers of a file with one name and value a line; units are left out."""
    words = (line.replace(":", " ").split() for line in read_text(path).splitlines())
    return {parts[0]: number for parts in words if len(parts) > 1 and (number := to_number(parts[1])) is not None}


def read_cpu_list(path: Path) -> frozenset[int]:
    """Return the processors of a list such as `0-3,8`; empty when it can't be read."""
    return frozenset(cpu for part in read_text(path).split(",") for cpu in _cpu_range(part))


def _cpu_range(part: str) -> range:
    first, _, last = part.partition("-")
    start, end = to_number(first), to_number(last or first)
    return range(start, end + 1) if start is not None and end is not None else range(0)
