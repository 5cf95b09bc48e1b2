"""How a model gets from its source into the store: fetched, verified, checked, and only then visible."""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from corral import gguf
from corral.errors import InvalidGGUF, SourceError, StoreError
from corral.fetching import Progress
from corral.library.creation import Plan, plan_of_parts
from corral.library.resolution import check_names
from corral.library.specs import target
from corral.names import Digest
from corral.store import Layer, digest_file
from corral.store import manifest as layers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from corral.fetching import ModelSource, Part, Resolved
    from corral.library.contents import Headers
    from corral.library.plugins import Plugins
    from corral.names import ModelName
    from corral.sources import Tell, Wanted
    from corral.store import Holding, Store

_INTERVAL_S = 0.06
_WEIGHTS = (layers.MODEL, layers.PROJECTOR, layers.ADAPTER, layers.DRAFT)


class Pull:
    """One pull. Its methods block and run in a thread; `tell` raises when nobody waits any more."""

    def __init__(self, store: Store, headers: Headers, plugins: Plugins, wanted: Wanted, tell: Tell) -> None:
        self._store = store
        self._headers = headers
        self._plugins = plugins
        self._wanted = wanted
        self._tell = tell

    def run(self, source: ModelSource, text: str) -> ModelName:
        """Fetch everything, give it a name (that of the source, if empty) and return it."""
        with closing(_Closing(source, self._tell)), self._store.writing() as holding:
            self._tell(Progress("pulling manifest"))
            resolved = source.resolve()
            check_names(resolved.config, self._plugins)
            found = [self._fetch(source, part, resolved.reference, holding) for part in self._expected(resolved)]
            plan = self._plan(resolved, found)
            name = target(self._store, text or self._wanted.name or resolved.name)
            self._tell(Progress("writing manifest"))
            for blob in plan.texts.values():
                holding.add([blob])
            pruned = self._store.publish(name, plan.manifest, plan.data)
        if pruned.digests:
            self._tell(Progress("removing unused layers"))
        if pruned.reason:
            self._tell(Progress(pruned.reason))
        self._tell(Progress("success"))
        return name

    def _expected(self, resolved: Resolved) -> list[Part]:
        """Return the parts, with what is known beforehand filled in."""
        digest = str(self._wanted.digest) if self._wanted.digest else ""
        return [
            replace(part, digest=part.digest or digest, size=part.size or self._wanted.size) if part.media_type == layers.MODEL else part
            for part in resolved.parts
        ]

    def _fetch(self, source: ModelSource, part: Part, reference: str, holding: Holding) -> Layer:
        expected = Digest.parse(part.digest) if part.digest else None
        if layer := self._present(part, expected, holding):
            return layer
        self._check_space(part)
        with self._store.partial(str(expected or f"{reference}\0{part.name}"), self._waiting(part)) as partial:
            # Another process may have fetched it while this one waited.
            if layer := self._present(part, expected, holding):
                return layer
            source.fetch(part, partial.path, self._reporter(part, expected))
            digest = self._verify(part, partial.path, expected)
            partial.share()
            holding.adopt(partial.path, digest)
        return Layer(media_type=part.media_type, digest=digest, size=self._store.blobs.size(digest) or 0)

    def _present(self, part: Part, expected: Digest | None, holding: Holding) -> Layer | None:
        """Return the layer of a part whose blob is here already, and hold it."""
        size = self._store.blobs.size(expected) if expected else None
        if not expected or size is None or part.size not in (0, size) or not holding.hold(expected):
            return None
        self._tell(Progress(f"pulling {expected.short}", str(expected), size, size))
        return Layer(media_type=part.media_type, digest=expected, size=size)

    def _verify(self, part: Part, path: Path, expected: Digest | None) -> Digest:
        """Return the digest of a fetched file; remove it and raise when it is not what was promised, or not a sound model."""
        try:
            self._tell(Progress("verifying sha256 digest"))
            digest = digest_file(path, lambda _done, _total: None)
            if expected and digest != expected:
                raise SourceError(f"digest mismatch, file must be downloaded again: want {expected}, got {digest}")
            if part.media_type in _WEIGHTS:
                with gguf.named(part.name):
                    gguf.read_header(path)
        except (SourceError, InvalidGGUF):
            path.unlink(missing_ok=True)
            raise
        return digest

    def _plan(self, resolved: Resolved, found: list[Layer]) -> Plan:
        if not resolved.manifest:
            return plan_of_parts(found, resolved.config, self._wanted.parameters, self._headers)
        manifest = layers.decode(resolved.manifest, resolved.reference)
        missing = manifest.digests - {layer.digest for layer in found}
        if missing:
            raise SourceError(f"'{resolved.reference}' did not deliver {', '.join(map(str, sorted(missing)))}")
        return Plan(manifest=manifest, texts={}, data=resolved.manifest)

    def _check_space(self, part: Part) -> None:
        folder = self._store.blobs.make_folder()
        free = shutil.disk_usage(folder).free
        if part.size > free:
            raise StoreError(f"'{part.name}' needs {part.size} bytes and '{folder}' has {free} free; make room first")

    def _reporter(self, part: Part, expected: Digest | None) -> Callable[[int, int], None]:
        """Return a report function that passes on one figure every 60 ms, the first and the last ones always."""
        status = f"pulling {expected.short if expected else part.name}"
        next_at = 0.0

        def report(completed: int, total: int) -> None:
            nonlocal next_at
            now = time.monotonic()
            if now >= next_at or completed == total:
                next_at = now + _INTERVAL_S
                self._tell(Progress(status, part.digest, total or part.size, completed))

        return report

    def _waiting(self, part: Part) -> Callable[[], None]:
        report = self._reporter(replace(part, name=f"{part.name} (another process is fetching it)"), None)
        return lambda: report(0, part.size)


class _Closing:
    """Closes a source and passes its warnings on."""

    def __init__(self, source: ModelSource, tell: Tell) -> None:
        self._source = source
        self._tell = tell

    def close(self) -> None:
        for warning in self._source.close():
            self._tell(Progress(f"warning: {warning}"))
