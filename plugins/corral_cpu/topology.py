"""How many sockets, cores and threads there are, and which cores are the small ones."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral_cpu.files import read_cpu_list, read_number, read_text, to_number

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Core:
    """One physical core and the numbers of its hardware threads."""

    socket: int
    threads: frozenset[int]
    is_small: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The processors this process may run on."""

    cores: tuple[Core, ...]
    model: str = ""

    @property
    def sockets(self) -> int:
        """Return the number of sockets."""
        return len({core.socket for core in self.cores})

    @property
    def threads(self) -> int:
        """Return the number of hardware threads."""
        return sum(len(core.threads) for core in self.cores)

    @property
    def efficiency_cores(self) -> int:
        """Return the number of small cores, which hold the others up when work is split evenly."""
        return sum(core.is_small for core in self.cores)


def read_topology(root: Path, allowed: Collection[int]) -> Topology:
    """Return the cores of the file tree at `root` that have a thread among the allowed ones."""
    by_core = _from_sysfs(root) or _from_cpuinfo(root) or {(0, cpu): {cpu} for cpu in allowed}
    small = read_cpu_list(root / "sys/devices/cpu_atom/cpus")
    cores = _mark_small(by_core, small)
    usable = tuple(Core(core.socket, core.threads & set(allowed), core.is_small) for core in cores if core.threads & set(allowed))
    return Topology(cores=usable, model=_model(root))


def _mark_small(by_core: Mapping[tuple[int, int], set[int]], known_small: Collection[int]) -> list[Core]:
    widest: dict[int, int] = defaultdict(int)
    for (socket, _), threads in by_core.items():
        widest[socket] = max(widest[socket], len(threads))
    # A core of one thread beside cores of two is small; where all have one thread, nobody can tell by that.
    return [
        Core(socket, frozenset(threads), bool(threads & set(known_small)) or len(threads) < widest[socket])
        for (socket, _), threads in sorted(by_core.items())
    ]


def _from_sysfs(root: Path) -> dict[tuple[int, int], set[int]]:
    cores: dict[tuple[int, int], set[int]] = defaultdict(set)
    for cpu in sorted(read_cpu_list(root / "sys/devices/system/cpu/online")):
        topology = root / f"sys/devices/system/cpu/cpu{cpu}/topology"
        siblings = read_cpu_list(topology / "thread_siblings_list")
        if not siblings:
            return {}
        # Some ARM systems have no package: -1.
        socket = max(read_number(topology / "physical_package_id") or 0, 0)
        cores[socket, min(siblings)].add(cpu)
    return dict(cores)


def _from_cpuinfo(root: Path) -> dict[tuple[int, int], set[int]]:
    cores: dict[tuple[int, int], set[int]] = defaultdict(set)
    for block in _blocks(root):
        cpu = to_number(block.get("processor", ""))
        if cpu is not None:
            socket = to_number(block.get("physical id", "")) or 0
            core = to_number(block.get("core id", ""))
            cores[socket, cpu if core is None else core].add(cpu)
    return dict(cores)


def _model(root: Path) -> str:
    blocks = _blocks(root)
    names = ("model name", "Model", "Hardware", "cpu model")
    return next((block[name] for name in names for block in blocks if block.get(name)), "")


def _blocks(root: Path) -> list[dict[str, str]]:
    blocks = []
    for text in read_text(root / "proc/cpuinfo").split("\n\n"):
        pairs = (line.partition(":") for line in text.splitlines())
        blocks.append({name.strip(): value.strip() for name, _, value in pairs})
    return blocks
