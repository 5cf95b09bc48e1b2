"""How the text of a Modelfile is read, and where its first mistake is."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from corral import options
from corral.errors import InvalidModelfile
from corral.modelfile.values import Instruction, Keyword, Modelfile, check

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_CHARACTERS = 16 * 1024 * 1024
_ROLES = ("system", "user", "assistant")

_BLANK = " \t"
_LINE_END = re.compile(r"\r\n|\r|\n")
_WORD = re.compile(r"[^ \t\r\n]+")
_BLANKS = re.compile(r"[ \t]*")
_REST = re.compile(r"[^\r\n]*")


def parse(content: str | bytes) -> Modelfile:
    """Return what a Modelfile says; raise InvalidModelfile with the line and column of the first mistake."""
    text = _decode(content) if isinstance(content, bytes) else content
    if len(text) > _MAX_CHARACTERS:
        raise InvalidModelfile(f"a Modelfile of {len(text)} characters is over the limit of {_MAX_CHARACTERS}", line=1)
    reader = Reader(text.removeprefix("\ufeff"))
    instructions = tuple(reader.instructions())
    if not any(i.keyword is Keyword.FROM for i in instructions):
        raise InvalidModelfile("no FROM line", line=reader.line)
    return Modelfile(instructions)


class Reader:
    """A place in the text of a Modelfile."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self._line_start = 0

    def instructions(self) -> Iterator[Instruction]:
        """Read the instructions from here to the end."""
        while self.at < len(self.text):
            self._skip(_BLANKS)
            if self.text.startswith("#", self.at):
                self._skip(_REST)
            elif _WORD.match(self.text, self.at):
                yield self._instruction()
            self._end_line()

    def _instruction(self) -> Instruction:
        line, column = self.line, self.at - self._line_start + 1
        keyword = self._keyword()
        argument = ""
        if keyword is Keyword.PARAMETER:
            argument = self._parameter_name()
        elif keyword is Keyword.MESSAGE:
            argument = self._role()
        self._skip(_BLANKS)
        value_line, value_column = self.line, self.at - self._line_start + 1
        value = self.value()
        instruction = Instruction(keyword, value, argument, line, column)
        check(instruction, value_line, value_column)
        return instruction

    def _keyword(self) -> Keyword:
        start = self.at
        word = self._word()
        try:
            return Keyword(word.upper())
        except ValueError:
            close = get_close_matches(word.upper(), [k.value for k in Keyword], n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            names = ", ".join(f'"{keyword.value.lower()}"' for keyword in Keyword)
            raise self._error(f"{hint}command must be one of {names}, not {word[:40]!r}", start) from None

    def _parameter_name(self) -> str:
        self._skip(_BLANKS)
        start = self.at
        name = self._word()
        if name in options.KINDS or name in options.RETIRED:
            return name
        close = get_close_matches(name, list(options.KINDS), n=1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        raise self._error(f"unknown parameter '{name[:40]}'{hint}", start)

    def _role(self) -> str:
        self._skip(_BLANKS)
        start = self.at
        role = self._word()
        if role in _ROLES:
            return role
        raise self._error('message role must be one of "system", "user", or "assistant"', start)

    def value(self) -> str:
        """Read the value that begins here, up to the end of its last line."""
        for fence in ('"""', '"'):
            if self.text.startswith(fence, self.at):
                return self._quoted(fence)
        start = self.at
        rest = self._skip(_REST).rstrip(_BLANK)
        if rest.startswith('$"') and (escaped := _json_string(rest[1:])) is not None:
            return escaped
        if "\0" in rest:
            raise self._error("a NUL character; is this a text file?", start + rest.index("\0"))
        return rest

    def _quoted(self, fence: str) -> str:
        """Read up to the first line that ends with the fence: quotes inside a line need no escape."""
        line, column = self.line, self.at - self._line_start + 1
        start = self.at + len(fence)
        self.at = start
        while True:
            rest = self._skip(_REST)
            if "\0" in rest:
                raise self._error("a NUL character; is this a text file?", self.at - len(rest) + rest.index("\0"))
            closing = self.at - len(rest) + len(rest.rstrip(_BLANK)) - len(fence)
            if closing >= start and self.text.startswith(fence, closing):
                return self.text[start:closing]
            if self.at == len(self.text):
                raise InvalidModelfile(
                    f"the quote that opens here is not closed: no line after it ends with {fence}", line=line, column=column
                )
            self._end_line()

    def _word(self) -> str:
        return self._skip(_WORD)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match[0]

    def _end_line(self) -> None:
        match = _LINE_END.match(self.text, self.at)
        if match:
            self.at = self._line_start = match.end()
            self.line += 1

    def _error(self, message: str, at: int) -> InvalidModelfile:
        return InvalidModelfile(message, line=self.line, column=at - self._line_start + 1)


def _json_string(text: str) -> str | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, str) else None


def _decode(content: bytes) -> str:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        raise InvalidModelfile(f"not {encoding} text: {error.reason}", line=line, column=len(before) - before.rfind(b"\n")) from None
