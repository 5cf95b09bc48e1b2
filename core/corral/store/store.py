"""How models change on disk so that two processes, a full disk or a power cut can not break them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from corral.errors import ModelNotFound, StoreError
from corral.store.blobs import Blobs, Holding
from corral.store.catalog import Catalog
from corral.store.files import exclusive, storing
from corral.store.partial import partial
from corral.store.pruning import BLOB_AGE_S, Pruned, remove_blobs, remove_leftovers, stale_blobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from corral.names import Digest, ModelName
    from corral.store.manifest import Manifest
    from corral.store.partial import Partial


class Store:
    """A folder of models in Ollama's layout: `manifests/` by name, `blobs/` by digest.

    A blob is removed only under the store's lock, after all manifests were read, and when nobody holds it.
    """

    def __init__(self, folder: Path, *, prune: bool = True) -> None:
        self.folder = folder
        self.blobs = Blobs(folder / "blobs")
        self.catalog = Catalog(folder / "manifests")
        self._prunes = prune

    def writing(self) -> Holding:
        """Return a context in which blobs are added or held for a manifest that is yet to be written."""
        return Holding(self.blobs)

    def partial(self, key: str, wait: Callable[[], None]) -> AbstractContextManager[Partial]:
        """Open the resumable download known by `key`, waiting for another process that has it."""
        return partial(self.blobs, key, wait)

    def publish(self, name: ModelName, manifest: Manifest, data: bytes = b"") -> Pruned:
        """Give a name its manifest (as `data`, or encoded), and remove blobs that only the old one needed.

        Raises StoreError when a blob is missing or has another size, before anything changes.
        """
        self._check_blobs(name, manifest)
        with self._locked():
            old = self._digests_of(name)
            self.catalog.write(name, data or manifest.encode())
            return self._drop(old - manifest.digests)

    def copy(self, source: ModelName, destination: ModelName) -> None:
        """Give a manifest a second name."""
        installed = self.catalog.read(source)
        if destination != source:
            self.publish(destination, installed.manifest, installed.data)

    def remove(self, name: ModelName) -> Pruned:
        """Remove a name, and the blobs that no other name needs; raise ModelNotFound."""
        with self._locked():
            if not self.catalog.has(name):
                raise ModelNotFound(name.short)
            old = self._digests_of(name)
            self.catalog.remove(name)
            return self._drop(old)

    def prune(self, age_s: float = BLOB_AGE_S) -> Pruned:
        """Remove blobs that no manifest has needed for that long, and what crashes left behind."""
        if not self._prunes or not self.blobs.folder.is_dir():
            return Pruned()
        with self._locked():
            remove_leftovers(self.blobs)
            needed, reason = self._needed()
            if reason:
                return Pruned(reason=reason)
            return remove_blobs(self.blobs, list(stale_blobs(self.blobs, needed, age_s)))

    def _drop(self, digests: frozenset[Digest]) -> Pruned:
        if not self._prunes or not digests:
            return Pruned()
        needed, reason = self._needed()
        return Pruned(reason=reason) if reason else remove_blobs(self.blobs, sorted(digests - needed))

    def _needed(self) -> tuple[frozenset[Digest], str]:
        """Return the digests that manifests name, or why that can't be said for sure."""
        try:
            names = self.catalog.names()
            return frozenset(digest for name in names for digest in self.catalog.read(name).manifest.digests), ""
        except (StoreError, ModelNotFound) as error:
            return frozenset(), f"no blob was removed: {error}"

    def _digests_of(self, name: ModelName) -> frozenset[Digest]:
        try:
            return self.catalog.read(name).manifest.digests
        except (ModelNotFound, StoreError):
            # A damaged manifest can be replaced or removed; what it needed is left for `prune`.
            return frozenset()

    def _check_blobs(self, name: ModelName, manifest: Manifest) -> None:
        for layer in (manifest.config, *manifest.layers):
            size = self.blobs.size(layer.digest)
            if size != layer.size:
                there = "is missing" if size is None else f"has {size} bytes instead of {layer.size}"
                raise StoreError(f"can't install '{name.short}': blob {layer.digest} {there}")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with storing(f"write to '{self.folder}'"):
            self.folder.mkdir(parents=True, exist_ok=True)
        with exclusive(self.folder / ".corral.lock"):
            yield
