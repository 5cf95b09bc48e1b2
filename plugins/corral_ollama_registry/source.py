"""How a model of a registry is fetched blob by blob, and a broken download goes on where it stopped."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from corral.errors import InvalidName, SourceError, StoreError, Unsupported
from corral.fetching import Part, Resolved
from corral.names import Digest, ModelName
from corral_ollama_registry.connection import Interrupted
from corral_ollama_registry.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from corral.conversation import Json
    from corral_ollama_registry.connection import Policy, Reply

_MODEL = "application/vnd.ollama.image.model"
_CHUNK = 1 << 20
_TRIES = 4
_PAUSE_S = 0.5


class RegistrySource:
    """A model of a registry: `registry:HOST/NAMESPACE/MODEL:TAG`."""

    def __init__(self, reference: str, policy: Policy) -> None:
        self._reference = reference
        self._name = ModelName.parse(reference.partition(":")[2])
        self._registry = Registry(self._name, policy)

    def resolve(self) -> Resolved:
        """Return the blobs of the manifest; raise SourceError, or Unsupported for models that are not in GGUF."""
        manifest = self._registry.manifest()
        parts = tuple(_parts(manifest, self._name.short))
        if not any(part.media_type == _MODEL for part in parts):
            raise Unsupported(f"'{self._name.short}' has no GGUF weights; corral runs GGUF models")
        return Resolved(reference=self._reference, parts=parts, config={}, name=self._name.short, manifest=manifest)

    def fetch(self, part: Part, target: Path, report: Callable[[int, int], None]) -> None:
        """Write a blob behind what `target` already has, trying again when the connection breaks."""
        failures = 0
        while True:
            before = _size(target)
            try:
                self._fetch_rest(part, target, report)
            except Interrupted:
                # Only tries in a row that brought nothing count: a poor line still gets there.
                failures = 0 if _size(target) > before else failures + 1
                if failures == _TRIES:
                    raise
                time.sleep(_PAUSE_S * 2**failures)
            else:
                return

    def close(self) -> Iterable[str]:
        """Leave nothing behind."""
        return ()

    def _fetch_rest(self, part: Part, target: Path, report: Callable[[int, int], None]) -> None:
        start = _size(target)
        if start > part.size:
            target.unlink()
            start = 0
        if start == part.size and start:
            report(start, part.size)
            return
        with self._registry.blob(part.digest, start) as reply:
            first = _first(reply, start)
            if first is None:
                target.unlink(missing_ok=True)
                raise Interrupted(f"asked for bytes from {start} on, got {reply.status} {reply.headers.get('Content-Range', '')}")
            _write(reply, part, target, first, report)


def _write(reply: Reply, part: Part, target: Path, start: int, report: Callable[[int, int], None]) -> None:
    try:
        with target.open("r+b" if target.exists() else "xb") as file:
            file.truncate(start)
            file.seek(start)
            while chunk := reply.read(min(_CHUNK, part.size - file.tell() + 1)):
                if file.tell() + len(chunk) > part.size:
                    raise SourceError(f"{part.digest} is longer than the {part.size} bytes of its manifest")
                file.write(chunk)
                report(file.tell(), part.size)
            done = file.tell()
    except OSError as error:
        raise StoreError(f"can't write {part.digest}: {error.strerror or error}") from error
    if done < part.size:
        raise Interrupted(f"{part.digest} broke off after {done} of {part.size} bytes")


def _first(reply: Reply, start: int) -> int | None:
    """Return where the body of an answer begins in the blob; None when that is not where it was asked to."""
    match reply.status:
        case 200:
            return 0
        case 206 if reply.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            return start
        case _:
            return None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _parts(manifest: bytes, name: str) -> Iterable[Part]:
    try:
        content = json.loads(manifest)
        entries = [*content["layers"], content["config"]]
        return [_part(entry) for entry in entries]
    except (ValueError, KeyError, TypeError, RecursionError, InvalidName) as error:
        raise SourceError(f"the manifest of '{name}' is damaged: {error or type(error).__name__}") from error


def _part(entry: Json) -> Part:
    if not isinstance(entry, dict):
        raise TypeError(f"{entry!r:.40} instead of a layer")
    digest, size, media_type = entry["digest"], entry["size"], entry["mediaType"]
    if not isinstance(digest, str) or not isinstance(media_type, str) or not isinstance(size, int) or size < 0:
        raise TypeError(f"{entry!r:.80} is no layer")
    parsed = Digest.parse(digest)
    return Part(media_type=media_type, name=parsed.short, size=size, digest=str(parsed))
