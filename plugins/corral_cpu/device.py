"""The host as a device."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from corral.devices import Device, DeviceKind
from corral_cpu.limits import Limits, read_limits
from corral_cpu.memory import read_memory
from corral_cpu.topology import Topology, read_topology

if TYPE_CHECKING:
    from collections.abc import Collection


def host_device(root: Path = Path("/"), allowed: Collection[int] | None = None) -> Device:
    """Return the host; `root` holds its /proc and /sys, `allowed` are the processors this process may run on."""
    topology = read_topology(root, _allowed() if allowed is None else allowed)
    limits = read_limits(root)
    memory = read_memory(root, limits)
    return Device(
        backend="cpu",
        id="cpu",
        name="CPU",
        kind=DeviceKind.CPU,
        description=topology.model or platform.processor() or platform.machine(),
        total_bytes=memory.total_bytes,
        free_bytes=memory.free_bytes,
        reported_by=("cpu",),
        facts={
            "sockets": str(topology.sockets),
            "cores": str(len(topology.cores)),
            "efficiency_cores": str(topology.efficiency_cores),
            "threads": str(topology.threads),
            "recommended_threads": str(recommended_threads(topology, limits)),
            "swap_total_bytes": str(memory.swap_total_bytes),
            "swap_free_bytes": str(memory.swap_free_bytes),
            **_limit_facts(limits),
        },
    )


def recommended_threads(topology: Topology, limits: Limits) -> int:
    """Return how many threads compute best: one for each big core, and no more than the quota pays for."""
    cores = len(topology.cores) - topology.efficiency_cores or len(topology.cores)
    # A thread more than the quota is throttled in each period, and all others wait for it.
    quota = cores if limits.cpus is None else int(limits.cpus)
    return max(min(cores, quota), 1)


def _limit_facts(limits: Limits) -> dict[str, str]:
    facts = {"cgroup_cpus": limits.cpus, "cgroup_memory_bytes": limits.memory_bytes}
    return {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in facts.items() if value is not None}


def _allowed() -> Collection[int]:
    # Linux only; elsewhere every processor is allowed.
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
