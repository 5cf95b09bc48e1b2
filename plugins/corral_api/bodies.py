"""How a request body is read into a dialect's struct: keys in any case, nulls dropped, unknown keys noticed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec
from msgspec import inspect

from corral.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Body(Generic[T]):
    """A body as its struct, and the top-level keys that the struct does not know."""

    value: T
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Shape:
    """Field names of a struct by their spelling in a body, and the structs inside its fields."""

    names: Mapping[str, str]
    inner: Mapping[str, _Shape]


class BodyReader(Generic[T]):
    """Reads bodies of one kind; make it once per route."""

    def __init__(self, kind: type[T], *, any_case: bool = False) -> None:
        self._kind = kind
        self._any_case = any_case
        self._shape = _shape_of(inspect.type_info(kind), any_case) or _Shape({}, {})

    def read(self, data: bytes) -> Body[T]:
        """Return the body; raise InvalidInput with what is wrong and where."""
        value = _parse(data)
        if not isinstance(value, dict):
            raise InvalidInput("the request body must be a JSON object")
        unknown = tuple(key for key in value if self._spelling(key) not in self._shape.names)
        return Body(self._convert(_fit(value, self._shape, any_case=self._any_case)), unknown)

    def _spelling(self, key: str) -> str:
        return key.lower() if self._any_case else key

    def _convert(self, value: object) -> T:
        try:
            return msgspec.convert(value, self._kind)
        except msgspec.ValidationError as error:
            raise InvalidInput(_in_words(str(error))) from error


def _parse(data: bytes) -> object:
    if not data.strip():
        raise InvalidInput("missing request body")
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the request body is not valid JSON: {error}") from error
    except RecursionError as error:
        raise InvalidInput("the request body is nested too deeply") from error


def _in_words(problem: str) -> str:
    """Turn msgspec's `Expected X, got Y - at $.path` into `path: expected X, got Y`."""
    text, _, path = problem.partition(" - at ")
    words = text[:1].lower() + text[1:]
    place = path.strip("`").removeprefix("$").removeprefix(".")
    return f"{place}: {words}" if place else words


def _shape_of(kind: inspect.Type, any_case: bool) -> _Shape | None:
    match kind:
        case inspect.StructType():
            inner = {field.encode_name: _shape_of(field.type, any_case) for field in kind.fields}
            names = {name.lower() if any_case else name: name for name in inner}
            return _Shape(names, {name: shape for name, shape in inner.items() if shape is not None})
        case inspect.ListType():
            return _shape_of(kind.item_type, any_case)
        case inspect.UnionType():
            return next((shape for shape in (_shape_of(member, any_case) for member in kind.types) if shape), None)
        case _:
            return None


def _fit(value: object, shape: _Shape, *, any_case: bool) -> object:
    if isinstance(value, list):
        return [_fit(item, shape, any_case=any_case) for item in value]
    if not isinstance(value, dict):
        return value
    fitted: dict[str, object] = {}
    for key, item in value.items():
        name = shape.names.get(key.lower() if any_case else key)
        if name is not None and item is not None:
            inner = shape.inner.get(name)
            fitted[name] = item if inner is None else _fit(item, inner, any_case=any_case)
    return fitted
