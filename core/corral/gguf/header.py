"""What a GGUF header says, as values that were checked against the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from corral.errors import InvalidGGUF
from corral.gguf.tables import STRING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from corral.gguf.tables import TensorType

Scalar: TypeAlias = "bool | int | float | str"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A single value, and where it is in the file."""

    value: Scalar
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    """An array that was measured; `items` are its values when it is short and numeric, else None.

    `marks` are the offsets of every `stride`-th string, so that one token is found without walking all of them.
    """

    kind: int
    count: int
    offset: int
    items: tuple[bool | int | float, ...] | None = None
    marks: tuple[int, ...] = ()
    stride: int = 0

    @property
    def is_text(self) -> bool:
        """Return whether this is an array of strings."""
        return self.kind == STRING


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """A tensor: its dimensions as GGUF orders them (fastest first), its bytes, and where they begin in the file."""

    name: str
    type: TensorType
    shape: tuple[int, ...]
    elements: int
    size: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A checked header. Lookups return the default for a missing key and raise InvalidGGUF for one of another type."""

    path: Path
    version: int
    file_size: int
    alignment: int
    #: Where the weights begin.
    data_offset: int
    fields: Mapping[str, Value | Array]
    tensors: tuple[Tensor, ...]

    @property
    def architecture(self) -> str:
        """Return the name of the model's architecture; the prefix of its keys."""
        return self.text("general.architecture")

    def text(self, key: str, default: str = "") -> str:
        """Return a string."""
        found = self._value(key)
        if found is None:
            return default
        if isinstance(found.value, str):
            return found.value
        raise self._mistyped(key, "a string", found)

    def integer(self, key: str, default: int = 0) -> int:
        """Return a whole number."""
        found = self._value(key)
        if found is None:
            return default
        if isinstance(found.value, int) and not isinstance(found.value, bool):
            return found.value
        raise self._mistyped(key, "an integer", found)

    def number(self, key: str, default: float = 0.0) -> float:
        """Return a number."""
        found = self._value(key)
        if found is None:
            return default
        if isinstance(found.value, int | float) and not isinstance(found.value, bool):
            return float(found.value)
        raise self._mistyped(key, "a number", found)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return a truth value."""
        found = self._value(key)
        if found is None:
            return default
        if isinstance(found.value, bool):
            return found.value
        raise self._mistyped(key, "a bool", found)

    def integers(self, key: str) -> tuple[int, ...]:
        """Return the whole numbers of a short array; a single number counts as an array of one."""
        found = self.fields.get(key)
        if found is None:
            return ()
        if isinstance(found, Value):
            return (self.integer(key),)
        if found.items is not None and all(isinstance(item, int) for item in found.items):
            return tuple(int(item) for item in found.items)
        raise self._mistyped(key, "a short array of integers", found)

    def count(self, key: str) -> int:
        """Return the length of an array; 0 when it is not there."""
        found = self.fields.get(key)
        if isinstance(found, Value):
            raise self._mistyped(key, "an array", found)
        return found.count if found else 0

    def _value(self, key: str) -> Value | None:
        found = self.fields.get(key)
        if isinstance(found, Array):
            raise self._mistyped(key, "a single value", found)
        return found

    def _mistyped(self, key: str, wanted: str, found: Value | Array) -> InvalidGGUF:
        return InvalidGGUF(f"must be {wanted}", field=key, offset=found.offset)
