"""Cut a Go template into text and the tokens of its actions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from corral.errors import InvalidTemplate

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(Enum):
    """What a token is."""

    TEXT = "text"
    OPEN = "{{"
    CLOSE = "}}"
    FIELD = "field"
    DOT = "."
    VARIABLE = "variable"
    WORD = "word"
    STRING = "string"
    NUMBER = "number"
    PUNCTUATION = "punctuation"
    SPACE = "space"


@dataclass(frozen=True, slots=True)
class Token:
    """A token with the line it begins on, counted from 1."""

    kind: Kind
    text: str
    line: int


_SPACE: Final = " \t\r\n"
_OPEN: Final = re.compile(r"\{\{(-[ \t\r\n])?")
_COMMENT: Final = re.compile(r"[ \t\r\n]*/\*.*?\*/([ \t\r\n]-)?[ \t\r\n]*\}\}", re.DOTALL)
_TOKEN: Final = re.compile(
    r"""
    (?P<close>(?:[ \t\r\n]+-)?\}\})
  | (?P<space>[ \t\r\n]+)
  | (?P<field>\.[^\W\d]\w*)
  | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+))
  | (?P<dot>\.)
  | (?P<variable>\$\w*)
  | (?P<word>[^\W\d]\w*)
  | (?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+')
  | (?P<punctuation>:=|[=|(),])
    """,
    re.VERBOSE,
)


def tokens(source: str) -> Iterator[Token]:
    """Yield the tokens of a template; text is trimmed where the actions next to it ask for that, comments are left out."""
    at, line, trim = 0, 1, False
    while True:
        opening = _OPEN.search(source, at)
        text = source[at : opening.start() if opening else len(source)]
        shown = text.lstrip(_SPACE) if trim else text
        if opening and opening.group(1):
            shown = shown.rstrip(_SPACE)
        if shown:
            yield Token(Kind.TEXT, shown, line)
        if not opening:
            return
        line += text.count("\n")
        at = opening.end()
        end = at
        for token in _action(source, opening.start(), at, line):
            end += len(token.text)
            yield token
        closing = source[at:end]
        trim = bool(re.search(r"[ \t\r\n]-\}\}$", closing))
        line += source.count("\n", opening.start(), end)
        at = end


def _action(source: str, start: int, at: int, line: int) -> Iterator[Token]:
    """Yield the tokens of one action; their texts join to the action's source after its opening."""
    comment = _COMMENT.match(source, at)
    if comment:
        yield Token(Kind.SPACE, comment.group(), line)
        return
    yield Token(Kind.OPEN, "", line)
    while True:
        found = _TOKEN.match(source, at)
        where = line + source.count("\n", start, at)
        if not found:
            what = f"unexpected {source[at]!r}" if at < len(source) else "unclosed action"
            raise InvalidTemplate(f"template line {where}: {what}")
        kind = str(found.lastgroup)
        yield Token(Kind.CLOSE if kind == "close" else Kind[kind.upper()], found.group(), where)
        at = found.end()
        if kind == "close":
            return
