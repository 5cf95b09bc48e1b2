"""Read one JSON value that a model is still writing, and pass it on as strict JSON, piece by piece.

What a later character could still change is not passed on: a comma waits for the next member, a key for its value, a
number for its end. So what was passed on can always be closed to valid JSON, even when the answer stops in the middle.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.formats.json_strings import Outcome, StringReader
from corral.formats.scanner import TagScanner
from corral.formats.strict_json import MAX_DEPTH, dump_json, escape_json, is_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from corral.formats.source import Source, Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Ways in which a format's values differ from JSON; what a dialect allows counts as no repair.

    `python` is for literals of Python (single quotes, True, None). `quote` is a literal that stands on both sides of a
    string, which then has no escapes. `bare_keys` are keys without quotes, up to the colon.
    """

    python: bool = False
    quote: str = ""
    bare_keys: bool = False


#: JSON itself.
JSON = Dialect()

#: Model habits that have one meaning only: Python's and JavaScript's names for JSON's literals.
_WORDS = {"true": "true", "false": "false", "null": "null", "True": "true", "False": "false", "None": "null"}
_WORD = re.compile(r"[A-Za-z]*")
_NUMBER_RUN = re.compile(r"[-+.0-9eE]*")
_BARE_KEY = re.compile(r"[^:{}\[\],\"'\s]*")


class JsonReader:
    """Reads one value from a source and writes strict JSON."""

    def __init__(self, source: Source, write: Callable[[str], None], dialect: Dialect = JSON) -> None:
        self._source = source
        self._write = write
        self._dialect = dialect
        self._quote = TagScanner([dialect.quote])
        self._strings = StringReader(source, self._note)
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
        elif (yield from self._source.expect(self._quote)):
            yield from self._literal_string()
        elif first == '"' or first == "'":
            self._mend(first == "'")
            self._commit('"')
            yield from self._strings.read(first, self._write)
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
        key = yield from self._key(quote)
        gap = yield from self._space()
        colon = yield from self._source.peek()
        if colon != ":":
            self._note(Outcome.MALFORMED if colon else Outcome.TRUNCATED)
            return
        self._source.take(1)
        after = yield from self._space()
        self._due = f'{self._separator(space)}"{key}"{gap}:{after}'
        yield from self._value()

    def _key(self, first: str) -> Steps[str]:
        """Read a key and return it in JSON's escapes; what is no key leaves the colon missing."""
        pieces: list[str] = []
        if first == '"' or first == "'":
            self._mend(first == "'")
            yield from self._strings.read(first, pieces.append)
        elif (yield from self._source.expect(self._quote)):
            yield from self._until_quote(pieces.append)
        elif self._dialect.bare_keys:
            pieces.append((yield from self._source.match(_BARE_KEY)))
        return "".join(pieces)

    def _literal_string(self) -> Steps[None]:
        self._commit('"')
        yield from self._until_quote(self._write)
        self._write('"')

    def _until_quote(self, write: Callable[[str], None]) -> Steps[None]:
        quote = yield from self._source.until(self._quote, lambda text: write(escape_json(text)))
        self._source.take(len(quote))
        self._note(Outcome.OK if quote else Outcome.TRUNCATED)

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
            rest = word + self._source.text[self._source.at :]
            ends = self._source.closed and any(name.startswith(rest) for name in (*_WORDS, self._dialect.quote))
            self._note(Outcome.TRUNCATED if ends else Outcome.MALFORMED)
            return
        self._mend(word != known)
        self._commit(known)

    def _commit(self, text: str) -> None:
        self._write(self._due + text)
        self._due = ""

    def _mend(self, is_pythonic: bool) -> None:
        self._note(Outcome.REPAIRED if is_pythonic and not self._dialect.python else Outcome.OK)

    def _note(self, outcome: Outcome) -> None:
        self._outcome = max(self._outcome, outcome)


def read_json(source: Source, write: Callable[[str], None], dialect: Dialect = JSON) -> Steps[Outcome]:
    """Read one value and write it as strict JSON; see `JsonReader`."""
    return JsonReader(source, write, dialect).read()
