"""Prove what the host's device says for trees of /proc and /sys as they are found in the wild."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

import corral_cpu
from corral_cpu.device import host_device
from corral_cpu.files import read_cpu_list

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GIB = 1024**3
MEMINFO = "MemTotal: 16777216 kB\nMemFree: 1048576 kB\nMemAvailable: 8388608 kB\nSwapTotal: 4194304 kB\nSwapFree: 2097152 kB\n"
V2 = {"proc/self/cgroup": "0::/user.slice/corral.service"}
V1 = {"proc/self/cgroup": "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/\n"}
SERVICE = "sys/fs/cgroup/user.slice/corral.service"


def tree(root: Path, *files: Mapping[str, str]) -> Path:
    for path, text in {"proc/meminfo": MEMINFO, **{k: v for part in files for k, v in part.items()}}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def processors(*cores: tuple[int, str]) -> dict[str, str]:
    """Return the topology files of cores given as socket and list of threads."""
    files = {}
    highest = 0
    for socket, siblings in cores:
        for cpu in read_cpu_list_text(siblings):
            folder = f"sys/devices/system/cpu/cpu{cpu}/topology"
            files[f"{folder}/thread_siblings_list"] = siblings
            files[f"{folder}/physical_package_id"] = str(socket)
            highest = max(highest, cpu)
    return {**files, "sys/devices/system/cpu/online": f"0-{highest}"}


def read_cpu_list_text(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


TWO_SOCKETS = processors((0, "0,4"), (0, "1,5"), (1, "2,6"), (1, "3,7"))
HYBRID = processors((0, "0,1"), (0, "2,3"), (0, "4"), (0, "5"), (0, "6"), (0, "7"))
SINGLE = processors((0, "0"), (0, "1"), (0, "2"), (0, "3"))

V1_QUOTA = {
    "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "200000",
    "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000",
}


@pytest.mark.parametrize(
    ("files", "allowed", "expected"),
    [
        pytest.param(TWO_SOCKETS, range(8), ("2", "4", "0", "8", "4"), id="two sockets with two threads a core"),
        pytest.param(HYBRID, range(8), ("1", "6", "4", "8", "2"), id="small cores have one thread"),
        pytest.param(
            {**SINGLE, "sys/devices/cpu_atom/cpus": "2-3"}, range(4), ("1", "4", "2", "4", "2"), id="small cores named by the kernel"
        ),
        pytest.param(SINGLE, range(4), ("1", "4", "0", "4", "4"), id="no threads, no small cores"),
        pytest.param(TWO_SOCKETS, [0, 4, 1], ("1", "2", "0", "3", "2"), id="affinity"),
        pytest.param({**processors((-1, "0"), (-1, "1"))}, range(2), ("1", "2", "0", "2", "2"), id="no packages"),
        pytest.param({}, range(3), ("1", "3", "0", "3", "3"), id="no files at all"),
        pytest.param(
            {**HYBRID, **V2, f"{SERVICE}/cpu.max": "150000 100000"}, range(8), ("1", "6", "4", "8", "1"), id="a quota of 1.5 processors"
        ),
        pytest.param({**SINGLE, **V2, f"{SERVICE}/cpu.max": "max 100000"}, range(4), ("1", "4", "0", "4", "4"), id="an unlimited quota"),
        pytest.param({**SINGLE, **V2, "sys/fs/cgroup/user.slice/cpu.max": "20000 100000"}, range(4), ("1", "4", "0", "4", "1"),
                     id="a fifth of a processor, further up"),
        pytest.param({**SINGLE, **V1, **V1_QUOTA}, range(4), ("1", "4", "0", "4", "2"), id="version 1"),
        pytest.param({**SINGLE, **V1, "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"},
                     range(4), ("1", "4", "0", "4", "4"), id="version 1 without a limit"),
    ],
)  # fmt: skip
def test_cores_are_counted(tmp_path: Path, files: Mapping[str, str], allowed: list[int], expected: tuple[str, ...]) -> None:
    facts = host_device(tree(tmp_path, files), allowed).facts

    names = ("sockets", "cores", "efficiency_cores", "threads", "recommended_threads")
    assert tuple(facts[name] for name in names) == expected


CPUINFO = """processor\t: 0
model name\t: Some Processor
physical id\t: 0
core id\t: 0

processor\t: 1
model name\t: Some Processor
physical id\t: 0
core id\t: 0

processor\t: 2
model name\t: Some Processor
physical id\t: 1
core id\t: 0
"""


def test_without_sysfs_cpuinfo_tells_the_cores(tmp_path: Path) -> None:
    device = host_device(tree(tmp_path, {"proc/cpuinfo": CPUINFO}), range(3))

    assert (device.facts["sockets"], device.facts["cores"], device.facts["threads"]) == ("2", "2", "3")
    assert device.description == "Some Processor"


def limited(limit: str, current: int, inactive: int = 0) -> dict[str, str]:
    return {
        **V2,
        f"{SERVICE}/memory.max": limit,
        f"{SERVICE}/memory.current": str(current),
        f"{SERVICE}/memory.stat": f"anon 1\ninactive_file {inactive}\n",
    }


V1_MEMORY = {
    **V1,
    "sys/fs/cgroup/memory/memory.limit_in_bytes": str(4 * GIB),
    "sys/fs/cgroup/memory/memory.usage_in_bytes": str(3 * GIB),
    "sys/fs/cgroup/memory/memory.stat": f"inactive_file 5\ntotal_inactive_file {GIB}\n",
}


@pytest.mark.parametrize(
    ("files", "total", "free"),
    [
        pytest.param({}, 16 * GIB, 8 * GIB, id="no group"),
        pytest.param(limited("max", 6 * GIB), 16 * GIB, 8 * GIB, id="max is no limit, whatever is in use"),
        pytest.param(limited(str(4 * GIB), GIB), 4 * GIB, 3 * GIB, id="F28: less than the host"),
        pytest.param(limited(str(4 * GIB), 4 * GIB, 3 * GIB), 4 * GIB, 3 * GIB, id="cache that can be dropped is free"),
        pytest.param(limited(str(4 * GIB), 5 * GIB), 4 * GIB, 0, id="over the limit"),
        pytest.param(limited(str(12 * GIB), GIB), 12 * GIB, 8 * GIB, id="the host has less left than the group allows"),
        pytest.param(limited(str(64 * GIB), GIB), 16 * GIB, 8 * GIB, id="a limit above the host"),
        pytest.param(
            {**limited(str(8 * GIB), GIB), "sys/fs/cgroup/user.slice/memory.max": str(2 * GIB)}, 2 * GIB, 2 * GIB, id="tighter above"
        ),
        pytest.param(V1_MEMORY, 4 * GIB, 2 * GIB, id="version 1, path of the host not mounted"),
        pytest.param({**V1_MEMORY, "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712"}, 16 * GIB, 8 * GIB,
                     id="version 1 without a limit"),
        pytest.param({**V2, "proc/self/cgroup": "0::/../../etc\n7:memory\nnonsense"}, 16 * GIB, 8 * GIB, id="nonsense in the group file"),
        pytest.param({**V2, f"{SERVICE}/memory.max": "many"}, 16 * GIB, 8 * GIB, id="nonsense in the limit"),
    ],
)  # fmt: skip
def test_memory_is_what_the_host_has_and_the_group_allows(tmp_path: Path, files: Mapping[str, str], total: int, free: int) -> None:
    device = host_device(tree(tmp_path, files), range(1))

    assert (device.total_bytes, device.free_bytes) == (total, free)


def test_an_old_kernel_without_memavailable_counts_its_caches(tmp_path: Path) -> None:
    meminfo = "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 20 kB\nCached: 300 kB\n"

    assert host_device(tree(tmp_path, {"proc/meminfo": meminfo}), range(1)).free_bytes == 420 * 1024


def test_swap_is_a_fact_and_obeys_its_limit(tmp_path: Path) -> None:
    limit = {f"{SERVICE}/memory.swap.max": str(GIB), f"{SERVICE}/memory.swap.current": str(GIB // 2)}
    facts = host_device(tree(tmp_path, V2, limit), range(1)).facts

    assert (facts["swap_total_bytes"], facts["swap_free_bytes"]) == (str(4 * GIB), str(GIB // 2))


def test_without_proc_the_operating_system_is_asked(tmp_path: Path) -> None:
    assert host_device(tmp_path, range(1)).total_bytes == psutil.virtual_memory().total


def test_unreadable_files_are_missing_files(tmp_path: Path) -> None:
    """F27: a folder in a file's place can't be read by anyone, not even by root."""
    for path in ("proc/cpuinfo", "proc/self/cgroup", "sys/devices/system/cpu/online"):
        (tmp_path / path).mkdir(parents=True)

    assert host_device(tree(tmp_path), range(2)).facts["cores"] == "2"


@pytest.mark.parametrize(
    ("text", "cpus"), [("0-3,8", {0, 1, 2, 3, 8}), ("5", {5}), ("", set()), ("x-3,2", {2}), ("3-1", set()), ("-1", set())]
)
def test_a_list_of_processors_is_read(tmp_path: Path, text: str, cpus: set[int]) -> None:
    (tmp_path / "list").write_text(f"{text}\n")

    assert read_cpu_list(tmp_path / "list") == cpus


def test_this_machine_has_a_processor_and_memory() -> None:
    (device,) = corral_cpu.discover_devices()

    assert int(device.facts["recommended_threads"]) >= 1
    assert device.total_bytes is not None
    assert device.free_bytes is not None
    assert 0 < device.free_bytes <= device.total_bytes
