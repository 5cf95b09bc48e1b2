"""Find the earliest, longest tag in text that arrives in pieces, and say how much must wait for more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Scan(NamedTuple):
    """What a scan saw: text up to `end` is plain; `tag`, when not empty, stands at `end`."""

    end: int
    tag: str


class TagScanner:
    """Look for any of several literals, in time linear in the text.

    Text is held back only while it can still become a tag, and a tag counts only when no longer or earlier one can
    still be completed, so the pieces in which the text arrives never change the result.
    """

    __slots__ = ("_firsts", "_partial", "_pattern", "_reach", "tags")

    def __init__(self, tags: Iterable[str]) -> None:
        self.tags = tuple(sorted({tag for tag in tags if tag}, key=lambda tag: (-len(tag), tag)))
        self._pattern = re.compile("|".join(re.escape(tag) for tag in self.tags)) if self.tags else None
        self._partial = frozenset(tag[:size] for tag in self.tags for size in range(1, len(tag)))
        self._firsts = frozenset(tag[0] for tag in self.tags)
        self._reach = max((len(tag) for tag in self.tags), default=1) - 1

    def scan(self, text: str, start: int, *, final: bool) -> Scan:
        """Return the first tag at or after `start`; `final` says that no more text will come."""
        safe = len(text) if final else self._held_from(text, start)
        found = self._pattern.search(text, start) if self._pattern else None
        if found and found.start() < safe:
            return Scan(found.start(), found.group())
        return Scan(safe, "")

    def at(self, text: str, start: int, *, final: bool) -> str | None:
        """Return the tag that stands at `start`, "" when none does; None when more text must tell."""
        if not final and len(text) - start <= self._reach and (start >= len(text) or text[start:] in self._partial):
            return None
        found = self._pattern.match(text, start) if self._pattern else None
        return found.group() if found else ""

    def _held_from(self, text: str, start: int) -> int:
        for at in range(max(start, len(text) - self._reach), len(text)):
            if text[at] in self._firsts and text[at:] in self._partial:
                return at
        return len(text)
