"""Write values as Go's print functions do."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, assert_never

from corral_go_template.values import Record, Value, ValueProblem, show, show_float

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Widths and precisions beyond this are an attack on memory.
MAX_WIDTH: Final = 1000

_VERB: Final = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?(?P<verb>.?)", re.DOTALL)
_ESCAPES: Final = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v", "\\": r"\\"}


@dataclass(frozen=True, slots=True)
class _Layout:
    """What stands between `%` and the verb."""

    flags: str
    width: int
    precision: int | None

    def pad(self, text: str) -> str:
        if "-" in self.flags:
            return text.ljust(self.width)
        return text.rjust(self.width, "0" if "0" in self.flags else " ")

    def number(self, text: str, *, may_fill: bool = True) -> str:
        """Pad a number; zeros that fill it up go between its sign and its digits."""
        sign, digits = ("-", text[1:]) if text.startswith("-") else (self._plus, text)
        if not may_fill:
            return replace(self, flags=self.flags.replace("0", "")).pad(sign + digits)
        if "0" in self.flags and "-" not in self.flags:
            return sign + digits.rjust(self.width - len(sign), "0")
        return self.pad(sign + digits)

    @property
    def _plus(self) -> str:
        return "+" if "+" in self.flags else " " if " " in self.flags else ""


def sprint(values: Sequence[Value]) -> str:
    """Join values as `print` does: a space stands between two neighbours neither of which is a string."""
    text = ""
    for at, value in enumerate(values):
        spaced = at > 0 and not isinstance(value, str) and not isinstance(values[at - 1], str)
        text += (" " if spaced else "") + _plain(value)
    return text


def sprintln(values: Sequence[Value]) -> str:
    """Join values as `println` does."""
    return " ".join(map(_plain, values)) + "\n"


def sprintf(form: str, values: Sequence[Value]) -> str:
    """Write values into a form as `printf` does; what does not fit a verb is said in the text, as Go says it."""
    rest = list(values)

    def put(found: re.Match[str]) -> str:
        layout, verb = _layout(found), found["verb"]
        if not verb:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        return _verb(verb, layout, rest.pop(0)) if rest else f"%!{verb}(MISSING)"

    text = _VERB.sub(put, form)
    extra = ", ".join("<nil>" if value is None else f"{_type(value)}={show(value)}" for value in rest)
    return f"{text}%!(EXTRA {extra})" if rest else text


def quote(text: str, sign: str = '"') -> str:
    """Return text as a Go literal in quotes."""
    return sign + "".join(rf"\{sign}" if character == sign else _escaped(character) for character in text) + sign


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _layout(found: re.Match[str]) -> _Layout:
    width, precision = int(found["width"] or 0), None if found["precision"] is None else int(found["precision"] or 0)
    if max(width, precision or 0) > MAX_WIDTH:
        raise ValueProblem(f"a width of {max(width, precision or 0)} is more than {MAX_WIDTH}")
    if "#" in found["flags"] or found["verb"] in ("*", "[", "U") or ("+" in found["flags"] and found["verb"] == "q"):
        raise ValueProblem(f"printf does not know {found[0]}")
    flags = found["flags"].replace("+", "") if found["verb"] == "v" else found["flags"]
    return _Layout(flags, width, precision)


def _verb(verb: str, layout: _Layout, value: Value) -> str:
    if value is None:
        return layout.pad("<nil>") if verb in "vT" else f"%!{verb}(<nil>)"
    if verb == "T":
        return layout.pad(_type(value)[: layout.precision])
    match value:
        case bool():
            return _known(verb, "vt", value, layout.pad(show(value)))
        case int():
            return _integer(verb, layout, value)
        case float():
            return _float(verb, layout, value)
        case str():
            return _string(verb, layout, value)
        case list() | dict() | Record():
            return _known(verb, "vs", value, layout.pad(show(value)))
        case _:
            assert_never(value)


def _known(verb: str, verbs: str, value: Value, text: str) -> str:
    """Return the text of a value for verbs that suit it, and a complaint around it for others."""
    return text if verb in verbs else f"%!{verb}({_type(value)}={text})"


def _integer(verb: str, layout: _Layout, value: int) -> str:
    match verb:
        case "c":
            return layout.pad(_character(value))
        case "q":
            return layout.pad(quote(_character(value), "'"))
    digits = format(abs(value), verb if verb in "xXob" else "d").rjust(layout.precision or 0, "0")
    text = layout.number(f"-{digits}" if value < 0 else digits, may_fill=layout.precision is None)
    is_hidden = value == 0 and layout.precision == 0
    return _known(verb, "vdxXob", value, " " * layout.width if is_hidden else text)


def _float(verb: str, layout: _Layout, value: float) -> str:
    if verb in "xXb":
        raise ValueProblem(f"printf does not know %{verb} of a float64")
    if verb not in "eEfF" and layout.precision is None:
        text = show_float(value)
    else:
        precision = 6 if layout.precision is None else layout.precision
        text = format(value, f".{precision}{verb if verb in 'eEfF' else 'g'}")
    return _known(verb, "veEfFgG", value, layout.number(text.upper() if verb == "G" else text))


def _string(verb: str, layout: _Layout, value: str) -> str:
    if verb in "xX":
        encoded = value.encode()[: layout.precision]
        digits = encoded.hex(" ") if " " in layout.flags else encoded.hex()
        return layout.pad(digits.upper() if verb == "X" else digits)
    text = value[: layout.precision]
    return _known(verb, "vsq", value, layout.pad(quote(text) if verb == "q" else text))


def _character(code: int) -> str:
    is_character = 0 <= code < 0x110000 and not 0xD800 <= code < 0xE000
    return chr(code) if is_character else "\ufffd"


def _plain(value: Value) -> str:
    return "<nil>" if value is None else show(value)


def _type(value: Value) -> str:
    match value:
        case None:
            return "<nil>"
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float64"
        case str():
            return "string"
        case list():
            return "[]interface {}"
        case dict():
            return "map[string]interface {}"
        case Record():
            return value.kind
        case _:
            assert_never(value)
