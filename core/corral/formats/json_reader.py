"""Read one JSON value that a model is still writing, and pass it on as strict JSON, piece by piece.

What a later character could still change is not passed on: a comma waits for the next member, a key for its value, a
number for its end. So what was passed on can always be closed to valid JSON, even when the answer stops in the middle.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

from corral.formats.strict_json import MAX_DEPTH, dump_json, is_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from corral.formats.source import Source, Steps


class Outcome(IntEnum):
    """How well a value could be read; higher is worse."""

    OK = 0
    REPAIRED = 1
    TRUNCATED = 2
    MALFORMED = 3


#: Model habits that have one meaning only: Python's and JavaScript's names for JSON's literals.
_WORDS = {"true": "true", "false": "false", "null": "null", "True": "true", "False": "false", "None": "null"}
_WORD = re.compile(r"[A-Za-z]*")
_NUMBER_RUN = re.compile(r"[-+.0-9eE]*")
_PLAIN = {'"': re.compile(r'[^"\\\x00-\x1f]+'), "'": re.compile(r"[^'\\\x00-\x1f\"]+")}
_CONTROL = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_HEX4 = re.compile(r"[0-9a-fA-F]{4}")
_LOW_SURROGATE = re.compile(r"\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_LONE = "\\ufffd"


class JsonReader:
    """Reads one value from a source and writes strict JSON."""

    def __init__(self, source: Source, write: Callable[[str], None]) -> None:
        self._source = source
        self._write = write
        self._due = ""
        self._outcome = Outcome.OK
        self._stack: list[str] = []
        self._is_first = True
        self._has_comma = False

    def read(self) -> Steps[Outcome]:
        """Read a value. On anything but OK and REPAIRED, what was written is closed to valid JSON (or nothing was written)."""
        yield from self._value()
        while self._stack and self._outcome < Outcome.TRUNCATED:
            yield from (self._member() if self._stack[-1] == "}" else self._element())
        while self._stack:
            self._write(self._stack.pop())
        return self._outcome

    def _value(self) -> Steps[None]:
        yield from self._source.skip_space()
        first = yield from self._source.peek()
        if first == "{" or first == "[":
            self._open(first)
        elif first == '"' or first == "'":
            self._note(Outcome.REPAIRED if first == "'" else Outcome.OK)
            self._commit('"')
            yield from self._string(first, self._write)
            self._write('"')
        elif first and first in "-+.0123456789":
            yield from self._number()
        elif first:
            yield from self._word()
        else:
            self._note(Outcome.TRUNCATED)

    def _open(self, bracket: str) -> None:
        if len(self._stack) >= MAX_DEPTH:
            self._note(Outcome.MALFORMED)
            return
        self._source.take(1)
        self._commit(bracket)
        self._stack.append("}" if bracket == "{" else "]")
        self._is_first = True

    def _member(self) -> Steps[None]:
        space = yield from self._next_item()
        quote = yield from self._source.peek()
        if self._closes(quote, space):
            return
        if quote not in ('"', "'"):
            self._note(Outcome.MALFORMED if quote else Outcome.TRUNCATED)
            return
        pieces: list[str] = []
        self._note(Outcome.REPAIRED if quote == "'" else Outcome.OK)
        yield from self._string(quote, pieces.append)
        gap = yield from self._space()
        colon = yield from self._source.peek()
        if colon != ":":
            self._note(Outcome.MALFORMED if colon else Outcome.TRUNCATED)
            return
        self._source.take(1)
        after = yield from self._space()
        self._due = f'{self._separator(space)}"{"".join(pieces)}"{gap}:{after}'
        yield from self._value()

    def _element(self) -> Steps[None]:
        space = yield from self._next_item()
        first = yield from self._source.peek()
        if self._closes(first, space):
            return
        self._due = self._separator(space)
        yield from self._value()

    def _next_item(self) -> Steps[str]:
        """Read the layout and the comma before an item or a closing bracket; remember whether a comma was there."""
        space = yield from self._space()
        self._has_comma = False
        if (yield from self._source.peek()) == ",":
            self._source.take(1)
            self._has_comma = True
            space = yield from self._space()
        return space

    def _space(self) -> Steps[str]:
        """Read white space; what JSON does not count as such is left out."""
        space = yield from self._source.skip_space()
        return "" if space.strip(" \t\r\n") else space

    def _separator(self, space: str) -> str:
        if self._is_first:
            self._note(Outcome.REPAIRED if self._has_comma else Outcome.OK)
            self._is_first = False
            return space
        self._note(Outcome.OK if self._has_comma else Outcome.REPAIRED)
        return "," + space

    def _closes(self, char: str, space: str) -> bool:
        if char != self._stack[-1]:
            return False
        self._source.take(1)
        self._note(Outcome.REPAIRED if self._has_comma else Outcome.OK)
        self._write(space + self._stack.pop())
        self._is_first = False
        return True

    def _number(self) -> Steps[None]:
        text = yield from self._source.match(_NUMBER_RUN)
        if self._source.at_end and self._stack:
            self._note(Outcome.TRUNCATED)
        elif is_number(text):
            self._commit(text)
        else:
            self._note(Outcome.REPAIRED)
            self._commit(dump_json(text))

    def _word(self) -> Steps[None]:
        word = yield from self._source.match(_WORD)
        known = _WORDS.get(word)
        if known is None:
            ends = self._source.at_end and any(name.startswith(word) for name in _WORDS)
            self._note(Outcome.TRUNCATED if ends else Outcome.MALFORMED)
            return
        self._note(Outcome.OK if word == known else Outcome.REPAIRED)
        self._commit(known)

    def _string(self, quote: str, write: Callable[[str], None]) -> Steps[None]:
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
                yield from self._escape(write)
            elif char == '"':
                source.take(1)
                write('\\"')
            elif char < " ":
                self._note(Outcome.REPAIRED)
                source.take(1)
                write(_CONTROL.get(char) or f"\\u{ord(char):04x}")

    def _escape(self, write: Callable[[str], None]) -> Steps[None]:
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
        else:
            self._note(Outcome.REPAIRED)
            write("" if char == "'" else "\\\\")

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

    def _commit(self, text: str) -> None:
        self._write(self._due + text)
        self._due = ""

    def _note(self, outcome: Outcome) -> None:
        self._outcome = max(self._outcome, outcome)


def read_json(source: Source, write: Callable[[str], None]) -> Steps[Outcome]:
    """Read one JSON value; see `JsonReader`."""
    return JsonReader(source, write).read()
