"""Tell which characters of a rendered string the template itself wrote.

Text that a template wrote may become special tokens, text that anybody else wrote may not. A template glues both together
with plain string operations, so its own constants are `Marked` strings, and `Marked` strings remember through those operations
who wrote what. Everything else is a plain `str` and stands for foreign text: an operation that is not tracked loses the
template's mark, never the reader's protection.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, SupportsIndex, TypeAlias

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Lengths of consecutive runs, each with whether the template wrote it.
Runs: TypeAlias = tuple[tuple[int, bool], ...]


class Marked(str):
    """A string some of whose runs the template wrote; the text itself behaves as any `str` does."""

    __slots__ = ("_runs",)
    _runs: Runs

    def __new__(cls, text: object = "", runs: Runs | None = None) -> Marked:
        """Return `text` with its runs; without runs all of it is foreign, as for any string made by unknown hands."""
        made = str.__new__(cls, text)
        made._runs = ((str.__len__(made), False),) if runs is None else runs  # noqa: SLF001 - its own
        return made

    def __str__(self) -> str:
        return self

    def __add__(self, other: object) -> Marked:
        if type(other) is not str and not isinstance(other, Marked):
            return NotImplemented
        return join((self, other))

    def __radd__(self, other: object) -> Marked:
        if type(other) is not str:
            return NotImplemented
        return join((other, self))

    def __mul__(self, times: SupportsIndex) -> str:
        text = str.__mul__(self, times)
        return Marked(text, self._runs * (len(text) // len(self)) if self else ())

    __rmul__ = __mul__

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        if isinstance(key, slice) and key.step in (None, 1):
            start, stop, _ = key.indices(len(self))
            return self._cut(start, max(start, stop))
        if isinstance(key, slice):
            return str.__getitem__(self, key)
        at = range(len(self))[key]
        return self._cut(at, at + 1)

    def __iter__(self) -> Iterator[str]:
        return (self._cut(at, at + 1) for at in range(len(self)))

    def join(self, pieces: Iterable[str]) -> str:
        """Join as `str.join` does."""
        joined: list[str] = []
        for piece in pieces:
            joined += (self, piece) if joined else (piece,)
        return join(joined)

    def strip(self, chars: str | None = None) -> str:
        """Strip as `str.strip` does."""
        start = len(self) - len(str.lstrip(self, chars))
        return self._cut(start, start + len(str.strip(self, chars)))

    def lstrip(self, chars: str | None = None) -> str:
        """Strip as `str.lstrip` does."""
        return self._cut(len(self) - len(str.lstrip(self, chars)), len(self))

    def rstrip(self, chars: str | None = None) -> str:
        """Strip as `str.rstrip` does."""
        return self._cut(0, len(str.rstrip(self, chars)))

    def removeprefix(self, prefix: str) -> str:
        """Cut as `str.removeprefix` does."""
        return self._cut(len(self) - len(str.removeprefix(self, prefix)), len(self))

    def removesuffix(self, suffix: str) -> str:
        """Cut as `str.removesuffix` does."""
        return self._cut(0, len(str.removesuffix(self, suffix)))

    def split(self, sep: str | None = None, maxsplit: SupportsIndex = -1) -> list[str]:
        """Split as `str.split` does."""
        return self._locate(str.split(self, sep, maxsplit))

    def rsplit(self, sep: str | None = None, maxsplit: SupportsIndex = -1) -> list[str]:
        """Split as `str.rsplit` does."""
        return self._locate(str.rsplit(self, sep, maxsplit))

    def splitlines(self, keepends: bool = False) -> list[str]:
        """Split as `str.splitlines` does."""
        return self._locate(str.splitlines(self, keepends))

    def partition(self, sep: str) -> tuple[str, str, str]:
        """Split as `str.partition` does."""
        before, found, after = self._locate(str.partition(self, sep))
        return before, found, after

    def rpartition(self, sep: str) -> tuple[str, str, str]:
        """Split as `str.rpartition` does."""
        before, found, after = self._locate(str.rpartition(self, sep))
        return before, found, after

    def replace(self, old: str, new: str, count: SupportsIndex = -1) -> str:
        """Replace as `str.replace` does; an empty `old` loses the marks."""
        if not old:
            return str.replace(self, old, new, count)
        pieces = self._locate(str.split(self, old, count))
        return Marked(new, _runs(new)).join(pieces)

    def upper(self) -> str:
        """Raise as `str.upper` does."""
        return self._like(str.upper(self))

    def lower(self) -> str:
        """Lower as `str.lower` does."""
        return self._like(str.lower(self))

    def capitalize(self) -> str:
        """Raise the first letter as `str.capitalize` does."""
        return self._like(str.capitalize(self))

    def title(self) -> str:
        """Raise first letters as `str.title` does."""
        return self._like(str.title(self))

    def _like(self, text: str) -> str:
        return control(text) if all(written for _, written in self._runs) else text

    def _cut(self, start: int, stop: int) -> Marked:
        kept: list[tuple[int, bool]] = []
        at = 0
        for length, written in self._runs:
            inside = min(at + length, stop) - max(at, start)
            if inside > 0:
                kept.append((inside, written))
            at += length
        return Marked(str.__getitem__(self, slice(start, stop)), tuple(kept))

    def _locate(self, pieces: Iterable[str]) -> list[str]:
        """Return pieces, found in order in this string, with their marks."""
        located: list[str] = []
        at = 0
        for piece in pieces:
            at = str.index(self, piece, at)
            located.append(self._cut(at, at + len(piece)))
            at += len(piece)
        return located


class MarkedMarkup(Markup):
    """What the filter `safe` makes of a string: text added to it is escaped, and who wrote what is kept."""

    __slots__ = ("_runs",)
    _runs: Runs

    def __new__(cls, text: object = "", runs: Runs | None = None) -> MarkedMarkup:
        """Return `text` as safe, with its runs; without runs all of it is foreign."""
        made = super().__new__(cls, text)
        made._runs = ((len(made), False),) if runs is None else runs
        return made

    def __str__(self) -> str:
        return Marked(str.__str__(self), self._runs)

    def __add__(self, other: object) -> MarkedMarkup:
        return _safe((self, _escaped(other))) if isinstance(other, str) else NotImplemented

    def __radd__(self, other: object) -> MarkedMarkup:
        return _safe((_escaped(other), self)) if isinstance(other, str) else NotImplemented


def safe(text: object) -> MarkedMarkup:
    """Return text that is not escaped when other safe text is added."""
    return _safe((text if isinstance(text, str) else str(text),))


def _safe(pieces: Iterable[str]) -> MarkedMarkup:
    joined = join(pieces)
    return MarkedMarkup(joined, joined._runs)  # noqa: SLF001 - of this module


def _escaped(text: str) -> str:
    if isinstance(text, Markup):
        return text
    pieces = [(str.__str__(escape(piece)), written) for piece, written in spans(text)]
    return join([control(piece) if written else piece for piece, written in pieces])


def _runs(text: str) -> Runs:
    if isinstance(text, Marked | MarkedMarkup):
        return text._runs  # noqa: SLF001
    return ((len(text), False),) if text else ()


@lru_cache(maxsize=4096)
def control(text: str) -> Marked:
    """Return text that the template wrote."""
    return Marked(text, ((len(text), True),) if text else ())


def join(pieces: Iterable[str]) -> Marked:
    """Return all pieces as one string that remembers who wrote what."""
    parts = list(pieces)
    runs = [run for piece in parts for run in _runs(piece)]
    merged = tuple((sum(length for length, _ in group), written) for written, group in groupby(runs, key=lambda run: run[1]))
    return Marked("".join(parts), merged)


def spans(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the runs of a string, each with whether the template wrote it."""
    at = 0
    for length, written in _runs(text):
        yield str.__getitem__(text, slice(at, at + length)), written
        at += length
