"""Say what a value of a template is worth: how it prints, whether it is true, what it compares to."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, TypeAlias, assert_never

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from corral.conversation import Json

#: Whatever a template can hold.
Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | Record | None"


class Written(str):
    """A string that the template's author wrote; every other string is somebody else's."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A Go struct: named fields, and the JSON it prints as. With `zero` a missing field is that instead of a mistake."""

    kind: str
    fields: Mapping[str, Value]
    shown: Json
    zero: Value = None
    is_open: bool = False


class ValueProblem(Exception):
    """A value that can't be used like that."""


def is_true(value: Value) -> bool:
    """Return whether a condition holds: everything but nil, false, zero and what is empty is true."""
    return isinstance(value, Record) or bool(value)


def show(value: Value) -> str:
    """Return how a value prints; what the template wrote stays its own."""
    match value:
        case None:
            return "<no value>"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return str(value)
        case float():
            return show_float(value)
        case list() | dict() | Record():
            return to_json(value)
        case _:
            assert_never(value)


def show_float(value: float) -> str:
    """Return a number as Go's `%v` does: shortest digits, an exponent when it is below -4 or above 5."""
    if not isfinite(value):
        return f"{value:+}".replace("inf", "Inf").replace("+nan", "NaN")
    digits = Decimal(repr(value)).normalize()
    if value and not -4 <= digits.adjusted() < 6:
        return re.sub(r"e([-+])(\d)$", r"e\g<1>0\2", f"{digits:e}")
    return f"{digits:f}"


def to_json(value: Value, *, indent: None = None) -> str:
    """Return compact JSON, keys in their own order."""
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"), indent=indent)


def plain(value: Value) -> Json:
    """Return a value as JSON sees it."""
    match value:
        case Record():
            return value.shown
        case list():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case None | bool() | int() | float() | str():
            return value
        case _:
            assert_never(value)


def field(value: Value, name: str) -> Value:
    """Return a field of a struct or an entry of a map; what a map lacks is nil."""
    match value:
        case Record() if name in value.fields:
            return value.fields[name]
        case Record() if value.is_open:
            return value.zero
        case Record():
            raise ValueProblem(f"{value.kind} has no field {name} (it has: {', '.join(value.fields)})")
        case dict():
            return value.get(name)
        case None:
            raise ValueProblem(f"nil has no field {name}")
        case _:
            raise ValueProblem(f"{show(value)[:40]!r} has no field {name}")


def items(value: Value) -> Iterable[tuple[Value, Value]]:
    """Return what `range` walks over: index and item, key and value in the order of the keys, or the numbers below one."""
    match value:
        case None:
            return ()
        case list():
            return enumerate(value)
        case dict():
            return ((key, value[key]) for key in sorted(value))
        case bool() | float() | str() | Record():
            raise ValueProblem(f"can't range over {show(value)[:40]!r}")
        case int():
            return ((number, number) for number in range(value))
        case _:
            assert_never(value)


def equal(left: Value, right: Value) -> bool:
    """Compare as `eq` does; values of different kinds are a mistake, nil equals only nil."""
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        raise ValueProblem("can't compare lists or maps")
    if left is None or right is None:
        return left is right
    if _kind(left) != _kind(right):
        raise ValueProblem(f"can't compare {_kind(left)} with {_kind(right)}")
    return left == right


def less(left: Value, right: Value) -> bool:
    """Compare as `lt` does."""
    if isinstance(left, str) and isinstance(right, str):
        return left.encode() < right.encode()
    if _kind(left) == _kind(right) and isinstance(left, int | float) and isinstance(right, int | float) and not isinstance(left, bool):
        return left < right
    raise ValueProblem(f"can't order {_kind(left)} and {_kind(right)}")


def _kind(value: Value) -> str:
    match value:
        case str():
            return "string"
        case Record():
            return value.kind
        case _:
            return type(value).__name__
