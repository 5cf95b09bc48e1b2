"""Count the runners of this machine that are busy now, so that they share the cores instead of spinning against each other."""

from __future__ import annotations

import fcntl
import mmap
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Runners that can take part; further ones count the others but are not counted.
_PLACES = 256


class Cores:
    """A file of one byte per runner, mapped by all of them; a lock on the byte holds the place while its owner lives."""

    def __init__(self, path: str) -> None:
        self._map: mmap.mmap | None = None
        self._place: int | None = None
        try:
            if path:
                self._open(Path(path))
        except OSError as error:
            # A folder that can't be written to costs speed beside other runners; the model can be used all the same.
            sys.stderr.write(f"busy runners can't be counted, so they will not share the cores: {error}\n")

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count as busy inside the block."""
        self._mark(1)
        try:
            yield
        finally:
            self._mark(0)

    def count_busy(self) -> int:
        """Return how many runners are busy, this one included."""
        if self._map is None:
            return 1
        return max(self._map[:].count(1), 1)

    def _open(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if os.fstat(file).st_size < _PLACES:
            os.ftruncate(file, _PLACES)
        self._map = mmap.mmap(file, _PLACES)
        # The descriptor stays open: closing any descriptor of the file would give the lock back.
        self._place = next((place for place in range(_PLACES) if _lock(file, place)), None)
        self._clear_orphans(file)

    def _clear_orphans(self, file: int) -> None:
        """Take the marks of runners that died while busy off: nobody holds their places."""
        assert self._map is not None
        for place in range(_PLACES):
            if self._map[place] and (place == self._place or _lock(file, place)):
                self._map[place] = 0
                if place != self._place:
                    fcntl.lockf(file, fcntl.LOCK_UN, 1, place)

    def _mark(self, value: int) -> None:
        if self._map is not None and self._place is not None:
            self._map[self._place] = value


def _lock(file: int, place: int) -> bool:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    except OSError:
        return False
    return True
