"""The functions of Go templates, and the ones that Ollama adds."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import quote_plus

from corral_go_template.values import Record, Value, ValueProblem, Written, equal, field, is_true, less, show, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

Function: TypeAlias = "Callable[..., Value]"

#: Widths and precisions beyond this are an attack on memory.
MAX_WIDTH: Final = 1000
_VERB: Final = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?(?P<verb>.)", re.DOTALL)


def functions(today: date) -> Mapping[str, Function]:
    """Return all functions by name; `and` and `or` are the executor's, because they skip arguments."""
    return {
        "not": lambda value: not is_true(value),
        "eq": _equal_any,
        "ne": lambda left, right: not equal(left, right),
        "lt": less,
        "le": lambda left, right: less(left, right) or equal(left, right),
        "gt": lambda left, right: less(right, left),
        "ge": lambda left, right: less(right, left) or equal(left, right),
        "len": _len,
        "index": _index,
        "slice": _slice,
        "print": lambda *values: _made(_print(values), values),
        "println": lambda *values: _made(" ".join(map(show, values)) + "\n", values),
        "printf": lambda form, *values: _made(_format(show(form), values), (form, *values)),
        "html": lambda *values: html.escape(_print(values)),
        "js": lambda *values: to_json(_print(values))[1:-1],
        "urlquery": lambda *values: quote_plus(_print(values)),
        "json": to_json,
        "currentDate": lambda *_: f"{today:%Y-%m-%d}",
        "yesterdayDate": lambda *_: f"{today - timedelta(days=1):%Y-%m-%d}",
        "toTypeScriptType": _typescript,
    }


def _equal_any(first: Value, *others: Value) -> bool:
    if not others:
        raise ValueProblem("eq needs two values")
    return any(equal(first, other) for other in others)


def _len(value: Value) -> int:
    match value:
        case str():
            return len(value.encode())
        case list() | dict():
            return len(value)
        case _:
            raise ValueProblem(f"{show(value)[:40]!r} has no length")


def _index(value: Value, *keys: Value) -> Value:
    for key in keys:
        value = _item(value, key)
    return value


def _item(value: Value, key: Value) -> Value:
    match value, key:
        case dict(), str():
            return value.get(key)
        case Record(), str():
            return field(value, key)
        case list(), int() if 0 <= key < len(value):
            return value[key]
        case str(), int() if 0 <= key < len(value.encode()):
            return value.encode()[key]
        case _:
            raise ValueProblem(f"no index {show(key)} in {show(value)[:40]!r}")


def _slice(value: Value, *bounds: Value) -> Value:
    if not isinstance(value, str | list):
        raise ValueProblem(f"can't slice {show(value)[:40]!r}")
    size = _len(value)
    start, stop = [*bounds, *(0, size)[len(bounds) :]][:2]
    if not isinstance(start, int) or not isinstance(stop, int) or not 0 <= start <= stop <= size:
        raise ValueProblem(f"slice bounds {show(start)}:{show(stop)} of a length of {size}")
    if isinstance(value, list):
        return value[start:stop]
    return _made(value.encode()[start:stop].decode(errors="replace"), (value,))


def _made(text: str, sources: tuple[Value, ...]) -> str:
    """Return text made of values: the template's own when all strings in it were."""
    return Written(text) if all(isinstance(source, Written | int | float) for source in sources) else text


def _print(values: tuple[Value, ...]) -> str:
    """Join as Go's `Sprint` does: a space stands between two values neither of which is a string."""
    text = ""
    for at, value in enumerate(values):
        spaced = at > 0 and not isinstance(value, str) and not isinstance(values[at - 1], str)
        text += (" " if spaced else "") + show(value)
    return text


def _format(form: str, values: tuple[Value, ...]) -> str:
    rest = list(values)

    def put(found: re.Match[str]) -> str:
        if found["verb"] == "%":
            return "%"
        if not rest:
            return f"%!{found['verb']}(MISSING)"
        return _pad(_verb(found["verb"], found["precision"], rest.pop(0)), found["flags"], found["width"])

    text = _VERB.sub(put, form)
    extra = ", ".join(f"{type(value).__name__}={show(value)}" for value in rest)
    return f"{text}%!(EXTRA {extra})" if rest else text


def _verb(verb: str, precision: str | None, value: Value) -> str:
    digits = min(int(precision or 0), MAX_WIDTH) if precision is not None else None
    match verb, value:
        case "q", str():
            return to_json(value)
        case (("f" | "F"), (int() | float())):
            return f"{value:.{6 if digits is None else digits}f}"
        case (("e" | "g"), (int() | float())):
            return f"{float(value):.{6 if digits is None else digits}{verb}}"
        case (("d" | "x" | "X" | "o" | "b"), int()):
            return format(value, verb)
        case "c", int():
            return chr(value) if 0 <= value < 0x110000 else "\ufffd"
        case (("s" | "v"), str()):
            return value if digits is None else value[:digits]
        case _:
            return show(value)


def _pad(text: str, flags: str, width: str) -> str:
    size = int(width or 0)
    if size > MAX_WIDTH:
        raise ValueProblem(f"a width of {size} is more than {MAX_WIDTH}")
    if "+" in flags and re.match(r"\d", text):
        text = f"+{text}"
    return text.ljust(size) if "-" in flags else text.rjust(size, "0" if "0" in flags else " ")


def _typescript(value: Value) -> str:
    """Return the TypeScript type of a property of a tool."""
    match value:
        case Record():
            options = value.fields.get("AnyOf")
            if isinstance(options, list) and options:
                return " | ".join(map(_typescript, options))
            inner = value.fields.get("Items")
            kind = value.fields.get("Type")
            return f"{_typescript(inner)}[]" if kind == "array" and inner else _typescript(kind)
        case list():
            return " | ".join(map(_typescript, value)) or "any"
        case str():
            known = {"integer": "number", "array": "any[]", "object": "Record<string, any>", "": "any"}
            return known.get(value, value)
        case _:
            return "any"
