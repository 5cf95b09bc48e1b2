"""Read an answer that arrives in pieces as if it were all there: a reader is a generator that yields to wait for text."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from corral.formats.scanner import TagScanner

T = TypeVar("T")

#: A reader: yields whenever it needs more text than has arrived, and returns what it read.
Steps: TypeAlias = Generator[None, None, T]

#: What `Source.follows` returns at the end of the answer; no tag can be equal to it.
END = "\0end"
#: White space is looked past this far, so that looking ahead stays linear.
MAX_SPACE_AHEAD = 256

_SPACE = re.compile(r"\s*")
_SPACE_AHEAD = re.compile(rf"\s{{0,{MAX_SPACE_AHEAD}}}")


class Source:
    """The part of an answer that has arrived and is not read yet, and a record of what was read since `start_record`."""

    __slots__ = ("_record", "at", "closed", "text")

    def __init__(self) -> None:
        self.text = ""
        self.at = 0
        self.closed = False
        self._record: list[str] | None = None

    def push(self, piece: str) -> None:
        """Add a piece that arrived."""
        self.text = self.text[self.at :] + piece
        self.at = 0

    @property
    def size(self) -> int:
        """Return how many characters wait to be read."""
        return len(self.text) - self.at

    @property
    def recorded_size(self) -> int:
        """Return how many characters the record holds."""
        return sum(map(len, self._record or ()))

    @property
    def at_end(self) -> bool:
        """Return whether everything is read and nothing more will come."""
        return self.closed and self.at >= len(self.text)

    def take_to(self, end: int) -> str:
        """Read up to a position in `text`."""
        piece = self.text[self.at : end]
        self.at = end
        if self._record is not None and piece:
            self._record.append(piece)
        return piece

    def take(self, count: int) -> str:
        """Read that many characters."""
        return self.take_to(self.at + count)

    def start_record(self) -> None:
        """Begin to remember what is read."""
        self._record = []

    def cut_record(self) -> str:
        """Return what was read since the record began or was last cut."""
        text = "".join(self._record or ())
        if self._record is not None:
            self._record = []
        return text

    def stop_record(self) -> str:
        """Return the rest of the record and stop remembering."""
        text = self.cut_record()
        self._record = None
        return text

    def until(self, scanner: TagScanner, sink: Callable[[str], None]) -> Steps[str]:
        """Hand plain text to `sink` up to the next tag; return the tag, not yet read, or "" at the end of the answer."""
        while True:
            end, tag = scanner.scan(self.text, self.at, final=self.closed)
            if end > self.at:
                sink(self.take_to(end))
            if tag or self.at_end:
                return tag
            if not self.closed:
                yield

    def text_until(self, scanner: TagScanner, limit: int = sys.maxsize) -> Steps[tuple[str, str]]:
        """Return the text before the next tag, and the tag (not yet read; "" at the end of the answer or after `limit` characters)."""
        pieces: list[str] = []
        while True:
            end, tag = scanner.scan(self.text, self.at, final=self.closed)
            if end - self.at > limit:
                pieces.append(self.take(limit))
                return "".join(pieces), ""
            limit -= end - self.at
            pieces.append(self.take_to(end))
            if tag or self.at_end:
                return "".join(pieces), tag
            if not self.closed:
                yield

    def expect(self, scanner: TagScanner) -> Steps[str]:
        """Read a tag if one stands exactly here, and return it; otherwise read nothing and return ""."""
        while (tag := scanner.at(self.text, self.at, final=self.closed)) is None:
            yield
        return self.take(len(tag))

    def follows(self, offset: int, scanner: TagScanner) -> Steps[str]:
        """Return the tag that follows `offset` characters from here, after white space, reading nothing; "" if none does.

        The end of the answer counts as `END`.
        """
        while True:
            start = self.at + offset
            found = _SPACE_AHEAD.match(self.text, start)
            at = found.end() if found else start
            if at - start == MAX_SPACE_AHEAD:
                return ""
            if at >= len(self.text):
                if self.closed:
                    return END
            elif (tag := scanner.at(self.text, at, final=self.closed)) is not None:
                return tag
            yield

    def peek(self) -> Steps[str]:
        """Return the next character without reading it; "" at the end of the answer."""
        while not self.size:
            if self.closed:
                return ""
            yield
        return self.text[self.at]

    def match(self, pattern: re.Pattern[str]) -> Steps[str]:
        """Read as much as the pattern matches here, however it is cut into pieces.

        The pattern must match every prefix of what it matches (a run of characters of a class, for example).
        """
        pieces: list[str] = []
        while True:
            found = pattern.match(self.text, self.at)
            end = found.end() if found else self.at
            pieces.append(self.take_to(end))
            if end < len(self.text) or self.closed:
                return "".join(pieces)
            yield

    def skip_space(self) -> Steps[str]:
        """Read white space, and return it."""
        return self.match(_SPACE)
