"""How the models on disk are listed, shown, made, fetched and removed: one object for the engine and for all doors."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from corral import sources
from corral.errors import CorralError, InvalidInput
from corral.fetching import Progress
from corral.library.capabilities import Capabilities
from corral.library.contents import Headers, read_config, read_contents
from corral.library.creation import Planner
from corral.library.details import detail, summarize
from corral.library.modelfiles import write_modelfile
from corral.library.pulling import Pull
from corral.library.specs import Specs, find, target
from corral.names import Digest, ModelName
from corral.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from corral.api import CreateRequest, ModelDetails, ModelSummary
    from corral.library.contents import Contents
    from corral.library.plugins import Plugins
    from corral.settings import Settings
    from corral.sources import Tell
    from corral.spec import ModelSpec

_log = logging.getLogger(__name__)


def open_library(settings: Settings, plugins: Plugins) -> DiskLibrary:
    """Return the library of the folder that the settings name."""
    return DiskLibrary(Store(settings.models, prune=not settings.no_prune), plugins)


class DiskLibrary:
    """The models in a store, with the names of their plugins settled. Implements `corral.api.Library`."""

    def __init__(self, store: Store, plugins: Plugins) -> None:
        self._store = store
        self._plugins = plugins
        self._headers = Headers(store)
        self._specs = Specs(store, self._headers, plugins)
        self._capabilities = Capabilities(self._headers, self._specs, plugins)
        self._planner = Planner(store, self._headers, plugins)

    def names(self) -> list[str]:
        """Return the short names of all installed models."""
        return [name.short for name in self._store.catalog.names()]

    def summaries(self) -> list[ModelSummary]:
        """Return all installed models, newest first; damaged ones are left out and logged."""
        return sorted(self._sound_summaries(), key=lambda summary: summary.modified_at, reverse=True)

    def resolve(self, name: str) -> ModelSpec:
        """Return an installed model with the names of its plugins settled."""
        return self._specs.resolve(name)

    def show(self, name: str, *, verbose: bool = False) -> ModelDetails:
        """Return everything known about an installed model."""
        contents = self._contents(name)
        spec = self._specs.build(contents)
        modelfile = write_modelfile(contents, self._store, self._planner)
        capabilities = self._capabilities.of(contents)
        return detail(contents, spec, modelfile, capabilities, headers=self._headers, plugins=self._plugins, verbose=verbose)

    def capabilities(self, summary: ModelSummary) -> tuple[str, ...]:
        """Return the capabilities of an installed model; none for one that is damaged. Each is looked at once."""
        known = self._capabilities.known(summary.digest)
        try:
            return self._capabilities.of(self._contents(summary.name)) if known is None else known
        except CorralError as error:
            _log.warning("the capabilities of '%s' are unknown: %s", summary.name, error)
            return ()

    def copy(self, source: str, destination: str) -> None:
        """Give a model a second name."""
        self._store.copy(find(self._store, source), target(self._store, destination))

    def delete(self, name: str) -> None:
        """Remove a name, and the blobs that no other name needs."""
        pruned = self._store.remove(find(self._store, name))
        if pruned.reason:
            _log.warning("%s", pruned.reason)

    def prune(self) -> int:
        """Remove what no model needs and return the bytes that became free."""
        pruned = self._store.prune()
        if pruned.reason:
            _log.warning("%s", pruned.reason)
        return pruned.freed_bytes

    async def create(self, request: CreateRequest) -> AsyncIterator[Progress]:
        """Make a model of blobs or of another model, telling of each step. A base that is not here is pulled."""
        ModelName.parse(request.model)
        if request.base and not await asyncio.to_thread(self._is_installed, request.base):
            pulled: list[ModelName] = []
            async for progress in self._pull(request.base, "", pulled):
                if progress.status != "success":
                    yield progress
            request = replace(request, base=pulled[0].short)
        async for progress in sources.in_thread(lambda tell: self._create(request, tell)):
            yield progress

    async def pull(self, reference: str, name: str = "") -> AsyncIterator[Progress]:
        """Fetch a model from its source and install it, telling of each step."""
        async for progress in self._pull(reference, name, []):
            yield progress

    def _pull(self, reference: str, name: str, pulled: list[ModelName]) -> AsyncIterator[Progress]:
        """Fetch a model and put the name it got into a list."""
        wanted = sources.wanted(reference, self._plugins.sources())
        if name:
            ModelName.parse(name)

        def work(tell: Tell) -> None:
            pull = Pull(self._store, self._headers, self._plugins, wanted, tell)
            pulled.append(pull.run(self._plugins.open_source(wanted.reference), name))

        return sources.in_thread(work)

    def has_blob(self, digest: str) -> bool:
        """Return whether a blob is there; raise InvalidName for a malformed digest."""
        return self._store.blobs.size(Digest.parse(digest)) is not None

    async def add_blob(self, digest: str, chunks: AsyncIterator[bytes]) -> bool:
        """Store a blob, verified; return whether it was new. Raise InvalidInput when the digest differs."""
        expected = Digest.parse(digest)
        if self._store.blobs.size(expected) is not None:
            return False
        with self._store.writing() as holding, holding.writer() as writer:
            async for chunk in chunks:
                await asyncio.to_thread(writer.write, chunk)
            await asyncio.to_thread(writer.commit, expected)
        return True

    def add_file(self, digest: str, path: Path, report: Callable[[int, int], None]) -> None:
        """Store a copy of a local file as a blob, verified."""
        with self._store.writing() as holding:
            holding.add_file(path, report, Digest.parse(digest))

    def _create(self, request: CreateRequest, tell: Tell) -> None:
        if request.files:
            tell(Progress("parsing GGUF"))
        with self._store.writing() as holding:
            plan = self._planner.plan(request)
            for layer in (*plan.manifest.layers, plan.manifest.config):
                is_new = layer.digest in plan.texts and not self._store.blobs.size(layer.digest)
                tell(Progress(f"{'creating new' if is_new else 'using existing'} layer {layer.digest}"))
                if layer.digest in plan.texts:
                    holding.add([plan.texts[layer.digest]])
                elif not holding.hold(layer.digest):
                    raise InvalidInput(f"blob {layer.digest} is not in the store; upload it first")
            tell(Progress("writing manifest"))
            self._store.publish(target(self._store, request.model), plan.manifest, plan.data)
        tell(Progress("success"))

    def _is_installed(self, text: str) -> bool:
        try:
            find(self._store, text)
        except CorralError:
            return False
        return True

    def _contents(self, name: str) -> Contents:
        return read_contents(self._store, self._store.catalog.read(find(self._store, name)))

    def _sound_summaries(self) -> Iterator[ModelSummary]:
        for name in self._store.catalog.names():
            try:
                installed = self._store.catalog.read(name)
                yield summarize(installed, read_config(self._store, installed))
            except CorralError as error:
                _log.warning("model '%s' is left out: %s", name.short, error)
