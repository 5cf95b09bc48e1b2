"""The functions of Go templates, and the ones that Ollama adds."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import quote_plus

from corral_go_template.formatting import sprint, sprintf, sprintln
from corral_go_template.values import Record, Value, ValueProblem, Written, equal, field, is_true, less, show, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

Function: TypeAlias = "Callable[..., Value]"

_JS: Final = re.compile(r"[\\'\"<>&=\x00-\x1f]")
_JS_QUOTES: Final = {character: f"\\{character}" for character in "\\'\""}


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
        "print": lambda *values: _made(sprint(values), values),
        "println": lambda *values: _made(sprintln(values), values),
        "printf": lambda form, *values: _made(sprintf(show(form), values), (form, *values)),
        "html": _escape(_html),
        "js": _escape(_js),
        "urlquery": _escape(quote_plus),
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


def _escape(write: Callable[[str], str]) -> Function:
    """Return a function that escapes what its arguments print as; among them nil counts as text."""
    return lambda *values: write(sprint(["<no value>" if value is None else value for value in values]))


def _html(text: str) -> str:
    return html.escape(text, quote=False).replace('"', "&#34;").replace("'", "&#39;").replace("\0", "\ufffd")


def _js(text: str) -> str:
    return _JS.sub(lambda found: _JS_QUOTES.get(found[0]) or f"\\u{ord(found[0]):04X}", text)


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
