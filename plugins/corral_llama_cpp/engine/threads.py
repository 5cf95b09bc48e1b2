"""How many threads to decode with, now that others want the cores too."""

from __future__ import annotations

import os
from pathlib import Path

#: How much the latest count of other programs' runnable threads weighs against the ones before.
_WEIGHT = 0.2


class Crowd:
    """Estimates how many threads of others want a core, from the kernel's count of runnable ones.

    llama.cpp's threads wait by spinning: one thread too many costs more than the core it was meant to use.
    """

    def __init__(self, path: Path = Path("/proc/loadavg")) -> None:
        # Without such a file (other systems than Linux) nobody else is ever seen.
        self._file = os.open(path, os.O_RDONLY) if path.exists() else None
        self.others = 0.0
        self._weigh(own=1, weight=1.0)

    def look(self, own: int) -> None:
        """Count the runnable threads that are not the `own` ones."""
        self._weigh(own, _WEIGHT)

    def _weigh(self, own: int, weight: float) -> None:
        if self._file is None:
            return
        runnable = int(os.pread(self._file, 64, 0).split()[3].split(b"/")[0])
        self.others += weight * (max(runnable - own, 0) - self.others)


def thread_count(*, most: int, cores: int, runners: int, others: float) -> int:
    """Return the threads to use: a fair part beside other busy runners, and no more than the crowd leaves free."""
    return max(1, min(most, cores // runners, int(cores - others + 0.5)))
