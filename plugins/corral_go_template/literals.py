"""Read the strings and numbers of a Go template."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from corral.errors import InvalidTemplate

if TYPE_CHECKING:
    from corral_go_template.lexer import Token

#: Numbers with more digits than this are none.
MAX_DIGITS: Final = 100

_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_SIMPLE: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"', "'": "'"}


def unquote(token: Token) -> str:
    """Return the text of a quoted or raw string."""
    body = token.text[1:-1]
    return body.replace("\r", "") if token.text[0] == "`" else _ESCAPE.sub(lambda found: _character(found.group(1), token), body)


def _character(escape: str, token: Token) -> str:
    if escape in _SIMPLE:
        return _SIMPLE[escape]
    try:
        return chr(int(escape[1:], 16) if escape[0] in "xuU" else int(escape, 8))
    except ValueError as error:
        raise InvalidTemplate(f"template line {token.line}: unknown escape \\{escape} in a string") from error


def number(token: Token) -> int | float:
    """Return the value of a number."""
    text = token.text.replace("_", "")
    try:
        if len(text) > MAX_DIGITS:
            raise ValueError(text)
        return int(text, 0) if re.fullmatch(r"[+-]?(0[xXbBoO].*|[1-9][0-9]*|0)", text) else _decimal(text)
    except ValueError as error:
        raise InvalidTemplate(f"template line {token.line}: {token.text!r} is no number") from error


def _decimal(text: str) -> int | float:
    return int(text, 8) if re.fullmatch(r"[+-]?0[0-7]+", text) else float(text)
