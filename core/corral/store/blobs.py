"""Where blobs lie, and how bytes become one: verified, whole, and held so that no other process takes them away."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import uuid
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Self

from corral.errors import InvalidInput, StoreError
from corral.names import Digest
from corral.store.files import open_regular, share_lock, storing, sync_folder, try_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

    Report = Callable[[int, int], None]

CHUNK = 1 << 20
#: Names of files in the making begin with this; nothing that begins so is ever a blob.
TEMPORARY = ".ingest-"


class Blobs:
    """The folder of blobs. Every path in it is made of a checked digest; a symbolic link is not a blob."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: Digest) -> Path:
        """Return where a blob is, or would be."""
        return self.folder / digest.file_name

    def make_folder(self) -> Path:
        """Return the folder, made if it is not there yet; raise StoreError."""
        with storing(f"write to '{self.folder}'"):
            self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder

    def size(self, digest: Digest) -> int | None:
        """Return the bytes of a blob; None when it is not there."""
        try:
            status = os.lstat(self.path(digest))
        except OSError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def read(self, digest: Digest, limit: int) -> bytes:
        """Return the content of a small blob, verified; raise StoreError."""
        with storing(f"read blob {digest}"), open_regular(self.path(digest)) as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise StoreError(f"blob {digest} is over the limit of {limit} bytes")
        if hashlib.sha256(data).hexdigest() != digest.hex:
            raise StoreError(f"blob {digest} is damaged; remove the model and pull or create it again")
        return data


class Holding:
    """Blobs that must not be pruned: each is held by a shared lock until the end, whatever happens to this process."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._held = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._held.close()

    def hold(self, digest: Digest) -> bool:
        """Keep a blob from being pruned; return whether it is there."""
        try:
            fd = os.open(self._blobs.path(digest), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return False
        self._held.callback(os.close, fd)
        share_lock(fd)
        # Whoever pruned it between the open and the lock has unlinked it.
        if os.fstat(fd).st_nlink == 0:
            return False
        with suppress(PermissionError):
            os.utime(fd)
        return True

    def add(self, chunks: Iterable[bytes], expected: Digest | None = None) -> Digest:
        """Store bytes as a blob; raise InvalidInput when they do not have the expected digest."""
        with self.writer() as writer:
            for chunk in chunks:
                writer.write(chunk)
            return writer.commit(expected)

    def add_file(self, source: Path, report: Report, expected: Digest | None = None) -> Digest:
        """Store a copy of a regular file as a blob."""
        return self.add(read_chunks(source, report), expected)

    def adopt(self, partial: Path, digest: Digest) -> None:
        """Turn a finished download, whose digest was computed, into a blob."""
        with storing(f"store blob {digest}"), partial.open("rb") as file:
            self._commit(partial, file, digest, digest)

    @contextmanager
    def writer(self) -> Iterator[Writer]:
        """Open a file in the making; it vanishes unless it is committed."""
        path = self._blobs.folder / f"{TEMPORARY}{uuid.uuid4().hex}"
        try:
            self._blobs.make_folder()
            with storing("store a blob"):
                file = path.open("xb")
            with file:
                try_lock(file.fileno())
                yield Writer(file, lambda digest, expected: self._commit(path, file, digest, expected))
        finally:
            # What can't be removed now is removed by the next clean-up; it must not hide why we are here.
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _commit(self, path: Path, file: BinaryIO, digest: Digest, expected: Digest | None) -> Digest:
        if expected is not None and digest != expected:
            raise InvalidInput(f'digest mismatch, expected "{expected}", got "{digest}"')
        # A blob of another size is what a crash of some program left behind; the verified file takes its place.
        if self._blobs.size(digest) == os.fstat(file.fileno()).st_size and self.hold(digest):
            path.unlink(missing_ok=True)
            return digest
        os.fsync(file.fileno())
        # The lock goes with the file, so the blob is held from the moment it has its name.
        fd = fcntl.fcntl(file.fileno(), fcntl.F_DUPFD_CLOEXEC, 0)
        self._held.callback(os.close, fd)
        share_lock(fd)
        path.chmod(0o644)
        path.replace(self._blobs.path(digest))
        sync_folder(self._blobs.folder)
        return digest


class Writer:
    """A blob in the making."""

    def __init__(self, file: BinaryIO, commit: Callable[[Digest, Digest | None], Digest]) -> None:
        self._file = file
        self._commit = commit
        self._hasher = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Add bytes; raise StoreError when they can't be written."""
        self._hasher.update(chunk)
        with storing("store a blob"):
            self._file.write(chunk)

    def commit(self, expected: Digest | None = None) -> Digest:
        """Make the bytes a blob; raise InvalidInput when they do not have the expected digest."""
        with storing("store a blob"):
            self._file.flush()
            return self._commit(Digest(self._hasher.hexdigest()), expected)


def read_chunks(path: Path, report: Report) -> Iterator[bytes]:
    """Yield the content of a regular file, calling `report(done, total)` as it goes; raise InvalidInput for devices and the like."""
    with open_regular(path, follow=True) as file:
        size = os.fstat(file.fileno()).st_size
        done = 0
        while chunk := file.read(CHUNK):
            done += len(chunk)
            yield chunk
            report(done, max(done, size))


def digest_file(path: Path, report: Report) -> Digest:
    """Return the digest of a regular file."""
    hasher = hashlib.sha256()
    with storing(f"read '{path}'"):
        for chunk in read_chunks(path, report):
            hasher.update(chunk)
    return Digest(hasher.hexdigest())
