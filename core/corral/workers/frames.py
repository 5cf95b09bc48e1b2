"""How a parent and its child frame what they say: four bytes of big-endian length, then one msgpack struct."""

from __future__ import annotations

from functools import reduce
from operator import or_
from struct import Struct as Layout
from typing import TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Bytes of the largest frame; a longer one means that the other side has lost its mind.
MAX_FRAME_BYTES = 256 * 1024 * 1024

_LENGTH = Layout(">I")

Message = TypeVar("Message")


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How far a child has come with loading, from 0 to 1; each one restarts the stall timer."""

    fraction: float


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """A child that can be asked for work; `info` is whatever its plugin wants to say about it."""

    info: object = None


class Working(msgspec.Struct, frozen=True, tag="working"):
    """A step of work is done; the only sign that a child with work to do does not hang."""


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    """Why a child never became ready, in its own words."""

    message: str
    out_of_memory: bool = False


class BadFrame(ValueError):
    """Bytes that are no frame: too long, or not the struct that was expected."""


def encode(message: msgspec.Struct) -> bytes:
    """Return one frame."""
    frame = bytearray(_LENGTH.size)
    msgspec.msgpack.Encoder().encode_into(message, frame, _LENGTH.size)
    _LENGTH.pack_into(frame, 0, len(frame) - _LENGTH.size)
    return bytes(frame)


def decoder(types: Sequence[type[Message]]) -> msgspec.msgpack.Decoder[Message]:
    """Return a decoder of any of the tagged structs; of nothing when there are none."""
    return msgspec.msgpack.Decoder(reduce(or_, types) if types else None)


class FrameSplitter:
    """Cut a stream of bytes into the bodies of frames."""

    def __init__(self, max_bytes: int = MAX_FRAME_BYTES) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes | memoryview) -> list[bytes]:
        """Return the frames that `data` completes; raise BadFrame as soon as a length is out of bounds."""
        self._buffer += data
        bodies = []
        start = 0
        with memoryview(self._buffer) as view:
            while (end := self._end_of_frame(start)) is not None:
                bodies.append(bytes(view[start + _LENGTH.size : end]))
                start = end
        if start:
            del self._buffer[:start]
        return bodies

    def _end_of_frame(self, start: int) -> int | None:
        available = len(self._buffer) - start - _LENGTH.size
        if available < 0:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer, start)
        if length > self._max_bytes:
            raise BadFrame(f"a frame of {length} bytes, where {self._max_bytes} is the limit")
        return start + _LENGTH.size + length if available >= length else None
