"""How a local file is brought into the store."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from corral.errors import SourceError
from corral.fetching import Part, Resolved

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

_MODEL = "application/vnd.ollama.image.model"
_CHUNK = 1 << 20


class FileSource:
    """A GGUF file. It is copied, not linked: what is in the store must not change when the file does."""

    def __init__(self, reference: str) -> None:
        self._reference = reference
        path = reference.partition(":")[2]
        self._path = Path(unquote(path.removeprefix("//")) if path.startswith("///") else path).expanduser()

    def resolve(self) -> Resolved:
        """Describe the file; raise SourceError when it is not a regular one."""
        status = self._status()
        part = Part(media_type=_MODEL, name=self._path.name, size=status.st_size)
        # A file may be replaced by another of the same name, so its size and time tell downloads of it apart.
        reference = f"{self._reference}\0{status.st_size}\0{status.st_mtime_ns}"
        return Resolved(reference=reference, parts=(part,), config={}, name=_name_of(self._path))

    def fetch(self, part: Part, target: Path, report: Callable[[int, int], None]) -> None:
        """Copy the file."""
        self._status()
        try:
            with self._path.open("rb") as source, target.open("wb") as copy:
                while chunk := source.read(_CHUNK):
                    copy.write(chunk)
                    report(copy.tell(), part.size)
        except OSError as error:
            raise SourceError(f"can't copy '{self._path}': {error.strerror or error}") from error

    def close(self) -> Iterable[str]:
        """Leave nothing behind."""
        return ()

    def _status(self) -> os.stat_result:
        try:
            status = self._path.stat()
        except OSError as error:
            raise SourceError(f"can't read '{self._path}': {error.strerror}") from error
        if not stat.S_ISREG(status.st_mode):
            raise SourceError(f"'{self._path}' is not a regular file")
        return status


def _name_of(path: Path) -> str:
    """Return a model name made of a file's name: `SmolLM2-135M.Q4_1.gguf` is `smollm2-135m.q4_1:latest`."""
    stem = re.sub(r"[^a-z0-9_.-]", "-", path.stem.lower()).lstrip("-.")
    return f"{stem[:80] or 'model'}:latest"
