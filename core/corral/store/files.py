"""How a file appears whole or not at all, and how processes keep out of each other's way."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from corral.errors import InvalidInput, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOCK_TIMEOUT_S = 30.0
_POLL_S = 0.01


@contextmanager
def storing(what: str) -> Iterator[None]:
    """Turn a failing file system into a StoreError that says what could not be done."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"can't {what}: {error.strerror or error}") from error


def open_regular(path: Path, *, follow: bool = False) -> BinaryIO:
    """Open a file for reading; raise InvalidInput for a device, a FIFO or a folder instead of waiting on it."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW))
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise InvalidInput(f"'{path}' is not a regular file")
    return os.fdopen(fd, "rb")


@contextmanager
def exclusive(path: Path, timeout_s: float = _LOCK_TIMEOUT_S) -> Iterator[None]:
    """Hold a lock that only one thread of one process has at a time; the kernel releases it if the process dies."""
    with storing(f"lock '{path}'"):
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        deadline = time.monotonic() + timeout_s
        while not try_lock(fd):
            if time.monotonic() > deadline:
                raise StoreError(f"another process has held '{path}' for {timeout_s:g} s; try again later")
            time.sleep(_POLL_S)
        yield
    finally:
        os.close(fd)


def try_lock(fd: int) -> bool:
    """Take an exclusive lock on an open file if nobody holds one."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def share_lock(fd: int) -> None:
    """Take, or turn an exclusive lock into, a shared one."""
    fcntl.flock(fd, fcntl.LOCK_SH)


def sync_folder(path: Path) -> None:
    """Make a rename in a folder survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_atomically(path: Path, data: bytes) -> None:
    """Put a file in place so that readers see the old content or the new, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns():x}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
