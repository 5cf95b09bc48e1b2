"""Write a grammar for the strings that match a regular expression, for the part of the language that has no memory.

Literals, classes, groups, alternatives, repetitions and anchors at the ends are followed; look-around, back references and
word boundaries are refused by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corral.errors import InvalidGrammar
from corral.formats.gbnf import class_char, literal, repeat

_CLASSES = {"d": "0-9", "w": "a-zA-Z0-9_", "s": " "}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_REPEAT = re.compile(r"\{(\d*)(,?)(\d*)\}|[*+?]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """How the characters of a string are written: `one` is the expression for any of them.

    `special` are those (as a class has them) that no class may stand for, because they are written otherwise or end the string.
    """

    one: str
    special: str
    escapes: bool

    def written(self, char: str) -> str:
        """Return the expression for a character."""
        if not self.escapes:
            return literal(char)
        return literal(_ESCAPES.get(char) or (char if char >= " " else f"\\u{ord(char):04x}"))


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\f": "\\f"}
#: Letters inside a JSON string; `char` is a rule of its own.
IN_JSON = Letters(one="char", special="\\x22\\x5C\\x00-\\x1F", escapes=True)


def letters_until(close: str) -> Letters:
    """Return letters that stand as they are; the one that begins the closing tag is left out, so that no text can hold the tag."""
    first = class_char(close[0])
    return Letters(one=f"[^{first}]", special=f"{first}\\x00-\\x1F", escapes=False)


def pattern_grammar(pattern: str, path: str, letters: Letters = IN_JSON) -> str:
    """Return the expression for the inside of a string that matches; raises InvalidGrammar with the path."""
    return _Reader(pattern, path, letters).whole()


class _Reader:
    """Reads one regular expression from left to right."""

    def __init__(self, pattern: str, path: str, letters: Letters) -> None:
        self._pattern = pattern
        self._path = path
        self._letters = letters
        self._any = f"[^{letters.special}]"
        self._at = 0

    def whole(self) -> str:
        begins = self._skip("^")
        ends = self._pattern.endswith("$") and not self._pattern.endswith("\\$")
        if ends:
            self._pattern = self._pattern[:-1]
        expression = self._alternatives()
        if self._at < len(self._pattern):
            raise self._refuse("an unmatched )")
        if (begins or ends) and "|" in _without_groups(self._pattern):
            raise self._refuse("an anchor that belongs to one alternative only (put the alternatives in a group)")
        return " ".join(part for part in ("" if begins else f"{self._any}*", f"({expression})", "" if ends else f"{self._any}*") if part)

    def _alternatives(self) -> str:
        choices = [self._sequence()]
        while self._skip("|"):
            choices.append(self._sequence())
        return " | ".join(choices)

    def _sequence(self) -> str:
        parts: list[str] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            parts.append(self._repeated(self._item()))
        return " ".join(parts) or '""'

    def _item(self) -> str:
        char = self._pattern[self._at]
        self._at += 1
        match char:
            case "(":
                return self._group()
            case "[":
                return self._class()
            case ".":
                return self._any
            case "\\":
                return self._escaped()
            case "^" | "$":
                raise self._refuse(f"{char} in the middle")
            case "*" | "+" | "?":
                raise self._refuse(f"{char} with nothing to repeat")
            case _:
                return self._letters.written(char)

    def _group(self) -> str:
        if self._skip("?") and not self._skip(":"):
            raise self._refuse("(?" + self._pattern[self._at : self._at + 1])
        inner = self._alternatives()
        if not self._skip(")"):
            raise self._refuse("a group that is not closed")
        return f"({inner})"

    def _class(self) -> str:
        is_negative = self._skip("^")
        parts: list[str] = []
        while not self._skip("]") or not parts:
            if self._at >= len(self._pattern):
                raise self._refuse("a class that is not closed")
            parts.append(self._class_part())
        if self._letters.escapes and not is_negative and any(part in {class_char('"'), class_char("\\")} for part in parts):
            raise self._refuse('a class with " or \\')
        return f"[^{self._letters.special}{''.join(parts)}]" if is_negative else f"[{''.join(parts)}]"

    def _class_part(self) -> str:
        char = self._pattern[self._at]
        self._at += 1
        if char == "\\":
            char = self._pattern[self._at : self._at + 1]
            self._at += 1
            if char in _CLASSES:
                return _CLASSES[char]
            if not char or (char.isalnum() and char not in _CONTROLS):
                raise self._refuse(f"\\{char} in a class")
            char = _CONTROLS.get(char, char)
        if self._pattern[self._at : self._at + 1] == "-" and self._pattern[self._at + 1 : self._at + 2] not in ("]", "\\", ""):
            last = self._pattern[self._at + 1]
            self._at += 2
            return f"{class_char(char)}-{class_char(last)}"
        return class_char(char)

    def _escaped(self) -> str:
        char = self._pattern[self._at : self._at + 1]
        self._at += 1
        if char in _CLASSES:
            return f"[{_CLASSES[char]}]"
        if char.lower() in _CLASSES and char:
            return f"[^{self._letters.special}{_CLASSES[char.lower()]}]"
        if not char or (char.isalnum() and char not in _CONTROLS):
            raise self._refuse(f"\\{char}")
        return self._letters.written(_CONTROLS.get(char, char))

    def _repeated(self, item: str) -> str:
        found = _REPEAT.match(self._pattern, self._at)
        if not found:
            return item
        self._at = found.end()
        self._skip("?")
        match found.group():
            case "*":
                return repeat(item, 0, None)
            case "+":
                return repeat(item, 1, None)
            case "?":
                return repeat(item, 0, 1)
        least = int(found[1] or 0)
        return repeat(item, least, int(found[3]) if found[3] else None if found[2] else least)

    def _skip(self, text: str) -> bool:
        is_here = self._pattern.startswith(text, self._at)
        self._at += len(text) if is_here else 0
        return is_here

    def _refuse(self, what: str) -> InvalidGrammar:
        return InvalidGrammar(f"{self._path}: the pattern has {what}, which no grammar can follow")


def _without_groups(pattern: str) -> str:
    text = re.sub(r"\\.|\[\^?\]?[^\]]*\]", "", pattern)
    while (shorter := re.sub(r"\([^()]*\)", "", text)) != text:
        text = shorter
    return text
