"""Which models are installed, and how a manifest gets its place among them."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from corral.errors import InvalidName, ModelNotFound, StoreError
from corral.names import ModelName
from corral.store.files import open_regular, storing, write_atomically
from corral.store.manifest import decode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from corral.store.manifest import Manifest

_MAX_MANIFEST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A manifest as it lies on disk."""

    name: ModelName
    manifest: Manifest
    data: bytes
    modified_at: datetime

    @property
    def digest(self) -> str:
        """Return the hex SHA-256 of the manifest's bytes: the id of the model."""
        return hashlib.sha256(self.data).hexdigest()


class Catalog:
    """The tree of manifests. Symbolic links inside it are not followed, so that no name leads out of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[ModelName]:
        """Return all names that have a manifest, sorted."""
        with storing(f"list the models in '{self.folder}'"):
            return sorted(self._names())

    def has(self, name: ModelName) -> bool:
        """Return whether a name, as it is spelt, has a manifest."""
        self._check_inside(name)
        path = self.folder / name.relative_path
        return path.is_file() and not path.is_symlink()

    def find(self, name: ModelName) -> ModelName:
        """Return the installed name that is the same but for case; raise ModelNotFound."""
        if self.has(name):
            return name
        for other in self.names():
            if other.folded == name.folded:
                return other
        raise ModelNotFound(name.short)

    def stamp(self, name: ModelName) -> tuple[int, int, int] | None:
        """Return numbers that change whenever the manifest of a name does; None when it has none."""
        try:
            status = os.lstat(self.folder / name.relative_path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def read(self, name: ModelName) -> Installed:
        """Return the manifest of a name as it is spelt; raise ModelNotFound or StoreError."""
        if not self.has(name):
            raise ModelNotFound(name.short)
        with storing(f"read the manifest of '{name.short}'"), open_regular(self.folder / name.relative_path) as file:
            modified_at = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
            data = file.read(_MAX_MANIFEST_BYTES + 1)
        if len(data) > _MAX_MANIFEST_BYTES:
            raise StoreError(f"the manifest of '{name.short}' is over the limit of {_MAX_MANIFEST_BYTES} bytes")
        return Installed(name=name, manifest=decode(data, f"'{name.short}'"), data=data, modified_at=modified_at)

    def write(self, name: ModelName, data: bytes) -> None:
        """Put a manifest in place, whole or not at all."""
        path = self.folder / name.relative_path
        with storing(f"write the manifest of '{name.short}'"):
            for folder in reversed(path.parents[:3]):
                folder.mkdir(parents=True, exist_ok=True)
            self._check_inside(name)
            write_atomically(path, data)

    def remove(self, name: ModelName) -> None:
        """Remove a manifest and the folders it leaves empty."""
        self._check_inside(name)
        path = self.folder / name.relative_path
        with storing(f"remove the manifest of '{name.short}'"):
            path.unlink()
        for folder in path.parents[:3]:
            # Not empty, or another process was quicker: either way the folder is not ours to worry about.
            with suppress(OSError):
                folder.rmdir()

    def _check_inside(self, name: ModelName) -> None:
        for folder in (self.folder / name.relative_path).parents[:3]:
            if folder.is_symlink():
                raise StoreError(f"'{folder}' is a symbolic link; manifests must lie inside the store")

    def _names(self) -> Iterator[ModelName]:
        for parts in _leaves(self.folder, 4):
            with suppress(InvalidName):
                yield ModelName(*parts)


def _leaves(folder: Path, depth: int) -> Iterator[tuple[str, ...]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        if depth == 1 and entry.is_file(follow_symlinks=False):
            yield (entry.name,)
        elif depth > 1 and entry.is_dir(follow_symlinks=False):
            yield from ((entry.name, *rest) for rest in _leaves(folder / entry.name, depth - 1))
