"""How many threads to decode with, now that others want the cores too."""

from __future__ import annotations

import os
from pathlib import Path
from time import perf_counter, process_time

#: The kernel counts in hundredths of a second; over less time than this the rest of a count would weigh too much.
_WINDOW_S = 0.25


class Crowd:
    """Estimates how many cores others keep busy, from the kernel's books of each core's time.

    llama.cpp's threads wait by spinning: one thread too many costs more than the core it was meant to use. How many threads are
    runnable at one moment says little: those that pass this runner's words on are always among them.
    """

    def __init__(self, path: Path = Path("/proc/stat")) -> None:
        # Without such a file (other systems than Linux) nobody else is ever seen.
        self._file = os.open(path, os.O_RDONLY) if path.exists() else None
        self.others = 0.0
        self._before = self._count()

    def begin(self) -> None:
        """Count from now on: who had the cores while this runner did nothing may have left them."""
        self._before = self._count()

    def look(self) -> None:
        """Estimate again, when enough time has passed."""
        if self._file is None or perf_counter() - self._before[0] < _WINDOW_S:
            return
        now = self._count()
        wall, own, busy = (new - old for new, old in zip(now, self._before, strict=True))
        self.others, self._before = max(busy - own, 0.0) / wall, now

    def _count(self) -> tuple[float, float, float]:
        """Return the time, this process's time on all cores, and everybody's on the cores that it may use, in seconds."""
        text = os.pread(self._file, 1 << 20, 0).decode() if self._file is not None else ""
        cores = {f"cpu{number}" for number in os.sched_getaffinity(0)} if text else set()
        rows = [row.split() for row in text.splitlines() if row.startswith("cpu")]
        return perf_counter(), process_time(), sum(_busy_s(row) for row in rows if row[0] in cores)


def _busy_s(row: list[str]) -> float:
    """Return the time that a core was not idle, and not lent to another system (proc_stat(5))."""
    user, nice, system, _idle, _waiting, irq, softirq = map(int, row[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def thread_count(*, most: int, cores: int, runners: int, others: float) -> int:
    """Return the threads to use: a fair part beside other busy runners, and no more than the crowd leaves free."""
    return max(1, min(most, cores // runners, int(cores - others + 0.5)))
