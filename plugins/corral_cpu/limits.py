"""What the control groups (version 1 and 2) of this process allow it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from corral_cpu.files import read_number, read_table, read_text, to_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Number = TypeVar("Number", int, float)

#: Version 1 says "unlimited" with a number of this size or above.
_UNLIMITED = 1 << 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The tightest limits of all groups from this process up; None is unlimited. Memory is in bytes."""

    cpus: float | None = None
    memory_bytes: int | None = None
    #: What may still be taken under the tightest limit, counting as free the cache that can be dropped at once.
    available_bytes: int | None = None
    swap_available_bytes: int | None = None


def read_limits(root: Path) -> Limits:
    """Return the limits in the file tree at `root`."""
    memory = [level for level in _memory_levels(root) if level[0] < _UNLIMITED]
    return Limits(
        cpus=_least(_cpu_quotas(root)),
        memory_bytes=_least(limit for limit, _ in memory),
        available_bytes=_least(max(available, 0) for _, available in memory),
        swap_available_bytes=_least(_swap_rooms(root)),
    )


def _memory_levels(root: Path) -> Iterator[tuple[int, int]]:
    """Yield the limit and the available bytes of each group that has a limit."""
    for folder in _folders(root, ""):
        limit = read_number(folder / "memory.max")
        if limit is not None:
            used = read_number(folder / "memory.current") or 0
            yield limit, limit - used + read_table(folder / "memory.stat").get("inactive_file", 0)
    for folder in _folders(root, "memory"):
        limit = read_number(folder / "memory.limit_in_bytes")
        if limit is not None:
            used = read_number(folder / "memory.usage_in_bytes") or 0
            yield limit, limit - used + read_table(folder / "memory.stat").get("total_inactive_file", 0)


def _swap_rooms(root: Path) -> Iterator[int]:
    for folder in _folders(root, ""):
        limit = read_number(folder / "memory.swap.max")
        if limit is not None:
            yield max(limit - (read_number(folder / "memory.swap.current") or 0), 0)


def _cpu_quotas(root: Path) -> Iterator[float]:
    for folder in _folders(root, ""):
        quota, _, period = read_text(folder / "cpu.max").partition(" ")
        yield from _quota(to_number(quota), to_number(period))
    for folder in _folders(root, "cpu"):
        yield from _quota(read_number(folder / "cpu.cfs_quota_us"), read_number(folder / "cpu.cfs_period_us"))


def _quota(quota: int | None, period: int | None) -> Iterator[float]:
    # No limit is written as "max" in version 2 and as -1 in version 1.
    if quota is not None and period and quota > 0 and period > 0:
        yield quota / period


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of this process's group and of all above it; version 2 has no controller in its line."""
    for mount, group in _groups(root, controller):
        path = PurePosixPath(group)
        # In a container the path may be the host's and not exist here; the root of the mount is the container's own.
        for level in (path, *path.parents):
            folder = mount / level.relative_to("/")
            if folder.is_dir():
                yield folder


def _groups(root: Path, controller: str) -> Iterator[tuple[Path, str]]:
    mounts = root / "sys/fs/cgroup"
    for line in read_text(root / "proc/self/cgroup").splitlines():
        _, controllers, group = [*line.split(":", 2), "", ""][:3]
        if group.startswith("/") and ".." not in group and controller in controllers.split(","):
            # Version 1 mounts "cpu,cpuacct" together, with a link for each of them that not every container has.
            together = mounts / controllers
            yield (together if together.is_dir() else mounts / controller), group


def _least(values: Iterable[Number]) -> Number | None:
    return min(values, default=None)
