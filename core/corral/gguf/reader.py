"""How a GGUF header is read without trusting a byte of it."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING

from corral.errors import InvalidGGUF, StoreError
from corral.gguf.cursor import Cursor
from corral.gguf.header import Array, Header, Tensor, Value
from corral.gguf.tables import ARRAY, BOOL, DEFAULT_ALIGNMENT, MAGIC, SCALARS, STRING, TENSOR_TYPES, VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Limits of honest files, with room: the largest known models have some 100 keys and 60,000 tensors.
_MAX_FIELDS = 8_192
_MAX_TENSORS = 262_144
_MAX_NAME_BYTES = 65_535
_MAX_TEXT_BYTES = 16 * 1024 * 1024
_MAX_ITEMS = 4_000_000
_MAX_ALIGNMENT = 1 << 20
_MAX_DIMENSIONS = 4
# The least that a key with its value, and a tensor's description, can take.
_FIELD_BYTES = 8 + 4 + 1
_TENSOR_BYTES = 8 + 4 + 4 + 8
# Numeric arrays up to this length are kept: head counts per layer are, vocabulary scores are not.
_SHORT = 1_024
_STRIDE = 1_024

_U32 = struct.Struct("<I")
_CODES = {kind: struct.Struct(f"<{code}") for kind, code in SCALARS.items()}
_ALIGNMENT_KEY = "general.alignment"


def read_header(path: Path) -> Header:
    """Return the checked header of a model file; raise InvalidGGUF with the field and offset of what is wrong.

    Reads the header only, and of long arrays nothing but their length.
    """
    try:
        with Cursor(path) as cursor:
            return _read(path, cursor)
    except OSError as error:
        raise StoreError(f"can't read '{path}': {error.strerror}") from error


def read_strings(header: Header, key: str, *, first: int = 0, limit: int | None = None) -> list[str]:
    """Return strings of an array, from the first to at most `limit` of them; none when the key is missing."""
    array = header.fields.get(key)
    if array is None:
        return []
    if not isinstance(array, Array) or array.kind != STRING:
        raise InvalidGGUF("must be an array of strings", field=key, offset=array.offset)
    wanted = range(first, min(array.count, array.count if limit is None else first + limit))
    if not wanted:
        return []
    mark = first // array.stride
    with Cursor(header.path) as cursor:
        cursor.seek(array.marks[mark])
        cursor.skip_strings(first - mark * array.stride, key)
        return [_text(cursor, key, errors="replace") for _ in wanted]


def read_numbers(header: Header, key: str) -> tuple[bool | int | float, ...]:
    """Return the numbers of an array of any length; none when the key is missing."""
    array = header.fields.get(key)
    if array is None:
        return ()
    if not isinstance(array, Array) or array.kind == STRING:
        raise InvalidGGUF("must be an array of numbers", field=key, offset=array.offset)
    if array.items is not None:
        return array.items
    if array.count > _MAX_ITEMS:
        raise InvalidGGUF(f"{array.count} numbers are over the limit of {_MAX_ITEMS}", field=key, offset=array.offset)
    with Cursor(header.path) as cursor:
        cursor.seek(array.offset)
        return _numbers(cursor, array.kind, array.count, key)


def _read(path: Path, cursor: Cursor) -> Header:
    version = _version(cursor)
    tensor_count = _bounded(cursor, "tensor_count", _TENSOR_BYTES, _MAX_TENSORS)
    field_count = _bounded(cursor, "metadata_kv_count", _FIELD_BYTES, _MAX_FIELDS)
    fields = dict(_fields(cursor, field_count))
    alignment = _alignment(fields.get(_ALIGNMENT_KEY))
    described = list(_tensors(cursor, tensor_count, alignment))
    data_offset = -(-cursor.offset // alignment) * alignment
    tensors = tuple(_placed(described, data_offset, cursor.size))
    return Header(
        path=path, version=version, file_size=cursor.size, alignment=alignment, data_offset=data_offset, fields=fields, tensors=tensors
    )  # fmt: skip


def _version(cursor: Cursor) -> int:
    if cursor.take(4, "magic") != MAGIC:
        raise InvalidGGUF("this is not a GGUF file", field="magic", offset=0)
    version = int(cursor.number(_U32, "version"))
    if version in VERSIONS:
        return version
    if int.from_bytes(version.to_bytes(4, "little"), "big") in VERSIONS:
        raise InvalidGGUF("big-endian files are not supported; convert the model to little-endian", field="version", offset=4)
    raise InvalidGGUF(f"version {version} is not supported, only {VERSIONS[0]} and {VERSIONS[1]}", field="version", offset=4)


def _bounded(cursor: Cursor, field: str, item_bytes: int, limit: int) -> int:
    offset = cursor.offset
    count = cursor.length(field)
    if count > limit or count * item_bytes > cursor.remaining:
        raise InvalidGGUF(f"{count} entries can't be in this file", field=field, offset=offset)
    return count


def _fields(cursor: Cursor, count: int) -> Iterator[tuple[str, Value | Array]]:
    seen: set[str] = set()
    for index in range(count):
        offset = cursor.offset
        key = _text(cursor, f"metadata key {index}", limit=_MAX_NAME_BYTES)
        if key in seen:
            raise InvalidGGUF("this key occurs twice", field=key, offset=offset)
        seen.add(key)
        yield key, _field(cursor, key)


def _field(cursor: Cursor, key: str) -> Value | Array:
    kind = int(cursor.number(_U32, key))
    offset = cursor.offset
    if kind == ARRAY:
        return _array(cursor, key)
    if kind == STRING:
        return Value(value=_text(cursor, key, limit=_MAX_TEXT_BYTES), offset=offset)
    if kind not in _CODES:
        raise InvalidGGUF(f"unknown value type {kind}", field=key, offset=offset - 4)
    if kind == BOOL:
        return Value(value=_bool(cursor, key), offset=offset)
    return Value(value=cursor.number(_CODES[kind], key), offset=offset)


def _bool(cursor: Cursor, key: str) -> bool:
    offset = cursor.offset
    byte = cursor.take(1, key)
    if byte not in (b"\0", b"\1"):
        raise InvalidGGUF("a bool must be 0 or 1", field=key, offset=offset)
    return byte == b"\1"


def _array(cursor: Cursor, key: str) -> Array:
    kind_offset = cursor.offset
    kind = int(cursor.number(_U32, key))
    if kind != STRING and kind not in _CODES:
        message = "arrays of arrays are not supported" if kind == ARRAY else f"unknown array type {kind}"
        raise InvalidGGUF(message, field=key, offset=kind_offset)
    item_bytes = 8 if kind == STRING else _CODES[kind].size
    count = _bounded(cursor, key, item_bytes, _MAX_ITEMS if kind == STRING else cursor.end)
    offset = cursor.offset
    if kind == STRING:
        return Array(kind=kind, count=count, offset=offset, marks=tuple(_marks(cursor, count, key)), stride=_STRIDE)
    if count <= _SHORT:
        return Array(kind=kind, count=count, offset=offset, items=_numbers(cursor, kind, count, key))
    cursor.skip(count * item_bytes, key)
    return Array(kind=kind, count=count, offset=offset)


def _marks(cursor: Cursor, count: int, key: str) -> Iterator[int]:
    for done in range(0, count, _STRIDE):
        yield cursor.offset
        cursor.skip_strings(min(_STRIDE, count - done), key)


def _numbers(cursor: Cursor, kind: int, count: int, key: str) -> tuple[bool | int | float, ...]:
    code = SCALARS[kind]
    return struct.unpack(f"<{count}{code}", cursor.take(count * _CODES[kind].size, key))


def _text(cursor: Cursor, field: str, *, limit: int = _MAX_TEXT_BYTES, errors: str = "strict") -> str:
    offset = cursor.offset
    length = cursor.length(field)
    if length > limit:
        raise InvalidGGUF(f"a text of {length} bytes is over the limit of {limit}", field=field, offset=offset)
    try:
        return cursor.take(length, field).decode("utf-8", errors)
    except UnicodeDecodeError as error:
        raise InvalidGGUF(f"not UTF-8 at byte {error.start}", field=field, offset=offset) from None


def _alignment(found: Value | Array | None) -> int:
    if found is None:
        return DEFAULT_ALIGNMENT
    value = found.value if isinstance(found, Value) else None
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MAX_ALIGNMENT and value & (value - 1) == 0:
        return value
    raise InvalidGGUF(f"must be a power of two up to {_MAX_ALIGNMENT}, not {value}", field=_ALIGNMENT_KEY, offset=found.offset)


def _tensors(cursor: Cursor, count: int, alignment: int) -> Iterator[Tensor]:
    """Yield the tensors as they are described; their offsets count from where the weights begin."""
    seen: set[str] = set()
    for index in range(count):
        offset = cursor.offset
        name = _text(cursor, f"name of tensor {index}", limit=_MAX_NAME_BYTES)
        if name in seen:
            raise InvalidGGUF("this tensor occurs twice", field=name, offset=offset)
        seen.add(name)
        yield _tensor(cursor, name, alignment)


def _tensor(cursor: Cursor, name: str, alignment: int) -> Tensor:
    shape = _shape(cursor, name)
    type_offset = cursor.offset
    number = int(cursor.number(_U32, name))
    kind = TENSOR_TYPES.get(number)
    if kind is None:
        raise InvalidGGUF(f"unknown tensor type {number}", field=name, offset=type_offset)
    elements = 1
    for dimension in shape:
        elements *= dimension
    if elements >= 2**63 or (shape[0] if shape else 1) % kind.block_elements:
        raise InvalidGGUF(f"the shape {shape} does not fit the type {kind.name}", field=name, offset=type_offset)
    place_offset = cursor.offset
    place = cursor.length(name)
    if place % alignment:
        raise InvalidGGUF(f"its place {place} is not a multiple of the alignment {alignment}", field=name, offset=place_offset)
    return Tensor(name=name, type=kind, shape=shape, elements=elements, size=kind.bytes_for(elements), offset=place)


def _shape(cursor: Cursor, name: str) -> tuple[int, ...]:
    offset = cursor.offset
    dimensions = int(cursor.number(_U32, name))
    if dimensions > _MAX_DIMENSIONS:
        raise InvalidGGUF(f"{dimensions} dimensions, the limit is {_MAX_DIMENSIONS}", field=name, offset=offset)
    shape = tuple(cursor.length(name) for _ in range(dimensions))
    if 0 in shape:
        raise InvalidGGUF("a dimension is 0", field=name, offset=offset)
    return shape


def _placed(tensors: list[Tensor], data_offset: int, file_size: int) -> Iterator[Tensor]:
    """Yield the tensors with their offsets in the file, after proving that each lies inside it and on no other."""
    end = 0
    for tensor in sorted(tensors, key=lambda t: (t.offset, t.size)):
        if tensor.offset < end:
            raise InvalidGGUF("overlaps the tensor before it", field=tensor.name, offset=data_offset + tensor.offset)
        end = tensor.offset + tensor.size
        if data_offset + end > file_size:
            raise InvalidGGUF(
                f"ends at byte {data_offset + end}, the file has {file_size}", field=tensor.name, offset=data_offset + tensor.offset
            )  # fmt: skip
    for tensor in tensors:
        yield replace(tensor, offset=data_offset + tensor.offset)
