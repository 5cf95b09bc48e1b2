"""Write the rules of a GBNF grammar, the language of llama.cpp's samplers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from corral.errors import InvalidGrammar

if TYPE_CHECKING:
    from collections.abc import Iterable

#: More rules than this slow every token down, and mean that a schema grows without bound.
MAX_RULES = 4000
#: llama.cpp refuses longer repetitions.
MAX_REPEATS = 2000

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9]+")

#: JSON values; each rule names the ones it needs.
_JSON = {
    "ws": '| " " | "\\n" [ \\t]{0,20}',
    "char": r'[^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" code)',
    # A surrogate stands for a character only together with another.
    "code": '([0-9a-ce-fA-CE-F] hex | [dD] [0-7]) hex hex | [dD] [89abAB] hex hex "\\\\u" [dD] [c-fC-F] hex hex',
    "hex": "[0-9a-fA-F]",
    "string": '"\\"" char* "\\""',
    "digits": "[0-9]{1,16}",
    "integer": '"-"? ("0" | [1-9] [0-9]{0,15})',
    "natural": '"0" | [1-9] [0-9]{0,15}',
    "tail": '("." digits)? ([eE] [-+]? [0-9]{1,2})?',
    "number": "integer tail",
    "boolean": '"true" | "false"',
    "null": '"null"',
    "array": '"[" ws (value ("," ws value)*)? ws "]"',
    "member": 'string ":" ws value',
    "object": '"{" ws (member ("," ws member)*)? ws "}"',
    "value": "object | array | string | number | boolean | null",
}
_NEEDS = {
    "char": ("code",),
    "code": ("hex",),
    "string": ("char",),
    "tail": ("digits",),
    "number": ("integer", "tail"),
    "array": ("value", "ws"),
    "member": ("string", "ws", "value"),
    "object": ("member", "ws"),
    "value": ("object", "array", "string", "number", "boolean", "null"),
}


class Rules:
    """The rules of one grammar; equal bodies share a rule."""

    def __init__(self) -> None:
        self._bodies: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def json(self, name: str) -> str:
        """Return the name of a rule for a JSON value: value, object, array, string, number, integer, boolean, null, or ws."""
        if name not in self._bodies:
            self._bodies[name] = _JSON[name]
            for need in _NEEDS.get(name, ()):
                self.json(need)
        return name

    def add(self, hint: str, body: str) -> str:
        """Return the name of a rule with that body."""
        if body not in self._names:
            self._names[body] = self.reserve(hint)
            self._bodies[self._names[body]] = body
        return self._names[body]

    def reserve(self, hint: str) -> str:
        """Return a new name, for a rule that refers to itself; give it a body with `define`."""
        stem = _NOT_IN_NAMES.sub("-", hint).strip("-").lower()[:40] or "rule"
        if len(self._bodies) >= MAX_RULES:
            raise InvalidGrammar(f"the grammar needs more than {MAX_RULES} rules; make the schema smaller")
        name = f"{stem}-{len(self._bodies)}"
        self._bodies[name] = ""
        return name

    def define(self, name: str, body: str) -> None:
        """Give a reserved name its body."""
        self._bodies[name] = body

    def until(self, close: str) -> str:
        """Return the name of a rule for any text that ends with the first `close`."""
        names = [self.reserve("until") for _ in close]
        for state, name in enumerate(names):
            followers = {letter: _overlap(close, close[:state] + letter) for letter in sorted(set(close))}
            onward = {letter: follower for letter, follower in followers.items() if follower}
            choices = [
                f"{literal(letter)} {names[follower]}" if follower < len(close) else literal(letter) for letter, follower in onward.items()
            ]
            self.define(name, " | ".join([f"{outside(onward)} {names[0]}", *choices]))
        return names[0]

    def text(self, root: str) -> str:
        """Return the grammar whose root has that body."""
        return "\n".join(f"{name} ::= {body}" for name, body in {"root": root, **self._bodies}.items()) + "\n"


def literal(text: str) -> str:
    """Return the expression for exactly that text."""
    return '"' + "".join(_LITERAL_ESCAPES.get(char) or (char if char.isprintable() else _escape(char)) for char in text) + '"'


def one_of(expressions: Iterable[str]) -> str:
    """Return the expression for any one of the expressions."""
    choices = list(dict.fromkeys(expressions))
    return choices[0] if len(choices) == 1 else f"({' | '.join(choices)})"


def outside(letters: Iterable[str]) -> str:
    """Return the expression for any one character but these."""
    return f"[^{''.join(map(class_char, letters))}]"


def class_char(char: str) -> str:
    """Return a character as it stands in a character class."""
    return char if char.isascii() and char.isalnum() else _escape(char)


def repeat(expression: str, least: int, most: int | None) -> str:
    """Return the expression repeated between `least` and `most` times; None is without end."""
    if max(least, most or 0) > MAX_REPEATS:
        raise InvalidGrammar(f"more than {MAX_REPEATS} repetitions can't be enforced")
    match least, most:
        case 0, None:
            return f"{expression}*"
        case 1, None:
            return f"{expression}+"
        case 0, 1:
            return f"{expression}?"
        case _:
            return f"{expression}{{{least},{'' if most is None else most}}}"


_LITERAL_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _overlap(close: str, text: str) -> int:
    """Return how many letters at the end of the text are the beginning of `close`."""
    return next(size for size in range(min(len(close), len(text)), -1, -1) if text.endswith(close[:size]))
