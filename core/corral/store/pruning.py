"""Which files of the blob folder may go, and taking them away without pulling the rug from under anyone."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.errors import InvalidName
from corral.names import Digest
from corral.store.files import try_lock
from corral.store.partial import PARTIAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from corral.store.blobs import Blobs

#: A blob may have been uploaded for a `create` that is still to come.
BLOB_AGE_S = 3_600.0
#: A broken-off download is worth resuming for some days.
PARTIAL_AGE_S = 7 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What a clean-up did; `reason` says why it did nothing, when a damaged manifest forbade it."""

    digests: tuple[Digest, ...] = ()
    freed_bytes: int = 0
    reason: str = ""


def remove_blobs(blobs: Blobs, digests: Iterable[Digest]) -> Pruned:
    """Remove blobs that no manifest needs and nobody holds."""
    removed: list[Digest] = []
    freed = 0
    for digest in digests:
        size = blobs.size(digest)
        if size is not None and _remove(blobs.path(digest)):
            removed.append(digest)
            freed += size
    return Pruned(digests=tuple(removed), freed_bytes=freed)


def stale_blobs(blobs: Blobs, needed: frozenset[Digest], age_s: float) -> Iterator[Digest]:
    """Yield blobs that no manifest needs and that have not been touched for that long."""
    for path in _older(blobs.folder, age_s):
        digest = _digest_of(path)
        if digest is not None and digest not in needed:
            yield digest


def remove_leftovers(blobs: Blobs) -> None:
    """Remove what broken-off ingests and old downloads left in the folder."""
    for path in _older(blobs.folder, BLOB_AGE_S):
        if path.name.startswith("."):
            _remove_tree(path) if path.is_dir() and not path.is_symlink() else _remove(path)
    for path in _older(blobs.folder, PARTIAL_AGE_S):
        if path.name.endswith(PARTIAL):
            _remove(path)


def _remove(path: Path) -> bool:
    """Remove a file that nobody holds; a file that can't be removed stays for the next clean-up."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        if not try_lock(fd):
            return False
        path.unlink(missing_ok=True)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def _remove_tree(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)


def _older(folder: Path, age_s: float) -> Iterator[Path]:
    if not folder.is_dir():
        return
    limit = time.time() - age_s
    for path in list(folder.iterdir()):
        try:
            if path.lstat().st_mtime <= limit:
                yield path
        except FileNotFoundError:
            continue


def _digest_of(path: Path) -> Digest | None:
    try:
        digest = Digest.parse(path.name)
    except InvalidName:
        return None
    return digest if path.name == digest.file_name else None
