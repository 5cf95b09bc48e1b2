"""Read one quoted string that a model is still writing, and pass on its text with the escapes of strict JSON."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from corral.formats.source import Source, Steps


class Outcome(IntEnum):
    """How well a value could be read; higher is worse."""

    OK = 0
    REPAIRED = 1
    TRUNCATED = 2
    MALFORMED = 3


_PLAIN = {'"': re.compile(r'[^"\\\x00-\x1f]+'), "'": re.compile(r"[^'\\\x00-\x1f\"]+")}
_CONTROL = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_HEX4 = re.compile(r"[0-9a-fA-F]{4}")
_LOW_SURROGATE = re.compile(r"\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_LONE = "\\ufffd"


class StringReader:
    """Reads strings in single or double quotes and tells `note` what had to be mended."""

    def __init__(self, source: Source, note: Callable[[Outcome], None]) -> None:
        self._source = source
        self._note = note

    def read(self, quote: str, write: Callable[[str], None]) -> Steps[None]:
        """Read a string from its opening quote on; a missing end is noted as truncated."""
        source = self._source
        source.take(1)
        plain = _PLAIN[quote]
        while True:
            found = plain.match(source.text, source.at)
            if found:
                write(source.take_to(found.end()))
            char = yield from source.peek()
            if char == quote:
                source.take(1)
                return
            if not char:
                self._note(Outcome.TRUNCATED)
                return
            if char == "\\":
                yield from self._escape(quote, write)
            elif char == '"':
                source.take(1)
                write('\\"')
            elif char < " ":
                self._note(Outcome.REPAIRED)
                source.take(1)
                write(_CONTROL.get(char) or f"\\u{ord(char):04x}")

    def _escape(self, quote: str, write: Callable[[str], None]) -> Steps[None]:
        yield from self._wait_for(2)
        self._source.take(1)
        if self._source.at_end:
            return
        char = self._source.text[self._source.at]
        if char == "u":
            self._source.take(1)
            yield from self._unicode_escape(write)
        elif char in '"\\/bfnrt':
            write("\\" + self._source.take(1))
        elif char == "'":
            self._note(Outcome.OK if quote == "'" else Outcome.REPAIRED)
            write(self._source.take(1))
        else:
            self._note(Outcome.REPAIRED)
            write("\\\\")

    def _unicode_escape(self, write: Callable[[str], None]) -> Steps[None]:
        r"""Read the rest of a \uXXXX; half of a surrogate pair alone is no character and becomes U+FFFD."""
        yield from self._wait_for(4)
        digits = self._source.text[self._source.at : self._source.at + 4]
        if not _HEX4.fullmatch(digits):
            self._note(Outcome.REPAIRED)
            write("\\\\u")
            return
        self._source.take(4)
        code = int(digits, 16)
        if not 0xD800 <= code < 0xE000:
            write(f"\\u{digits}")
            return
        yield from self._wait_for(6)
        tail = self._source.text[self._source.at : self._source.at + 6]
        if code < 0xDC00 and _LOW_SURROGATE.fullmatch(tail):
            write(f"\\u{digits}{self._source.take(6)}")
            return
        self._note(Outcome.REPAIRED)
        write(_LONE)

    def _wait_for(self, count: int) -> Steps[None]:
        while self._source.size < count and not self._source.closed:
            yield
