"""How a download that may be resumed is kept apart from blobs, and from another process that wants the same."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from corral.store.files import share_lock, storing, try_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from corral.store.blobs import Blobs

#: Not Ollama's `-partial`: its downloads are sparse files with a plan beside them, ours grow from the front.
PARTIAL = "-corral-partial"
_POLL_S = 0.05


class Partial:
    """A growing file that this thread alone writes."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd = fd

    def share(self) -> None:
        """Stop being the only holder, so that the file can become a blob that others hold too."""
        share_lock(self._fd)


@contextmanager
def partial(blobs: Blobs, key: str, wait: Callable[[], None]) -> Iterator[Partial]:
    """Open the download known by `key`. While another process has it, `wait` is called again and again; it may raise.

    The file stays for a later resume unless it became a blob or stayed empty.
    """
    path = blobs.make_folder() / f"sha256-{hashlib.sha256(key.encode()).hexdigest()}{PARTIAL}"
    fd = _acquire(path, wait)
    try:
        yield Partial(path, fd)
    finally:
        with suppress(OSError):
            if os.fstat(fd).st_size == 0 and _is_same(path, fd):
                path.unlink(missing_ok=True)
        os.close(fd)


def _acquire(path: Path, wait: Callable[[], None]) -> int:
    while True:
        with storing(f"open '{path}'"):
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            while not try_lock(fd):
                wait()
                time.sleep(_POLL_S)
            if _is_same(path, fd):
                return fd
        except BaseException:
            os.close(fd)
            raise
        # The file became a blob, or was cleaned up, while this thread waited.
        os.close(fd)


def _is_same(path: Path, fd: int) -> bool:
    try:
        there = os.lstat(path)
    except OSError:
        return False
    here = os.fstat(fd)
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
