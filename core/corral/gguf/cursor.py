"""How bytes of an untrusted file are read in order: never past its end, never more of them than a limit."""

from __future__ import annotations

import os
import stat
import struct
from typing import TYPE_CHECKING, Self

from corral.errors import InvalidGGUF

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_CHUNK = 1 << 20
# The headers of the largest vocabularies known take about 20 MB. More than this is not read whatever the file claims.
_MAX_HEADER_BYTES = 1 << 28
_U64 = struct.Struct("<Q")


class Cursor:
    """A place in a file. Reads ahead in chunks, by `pread`: a file that is cut meanwhile gives an error, not a signal."""

    def __init__(self, path: Path) -> None:
        # O_NONBLOCK keeps a FIFO from hanging the open; a device is refused by its kind afterwards.
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        status = os.fstat(self._fd)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._fd)
            raise InvalidGGUF(f"'{path}' is not a regular file", field="file", offset=0)
        self.size = status.st_size
        self.end = min(self.size, _MAX_HEADER_BYTES)
        self._start = 0
        self._at = 0
        self._data = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._fd)

    @property
    def offset(self) -> int:
        """Return how many bytes of the file lie before this place."""
        return self._start + self._at

    @property
    def remaining(self) -> int:
        """Return how many bytes may still be read."""
        return self.end - self.offset

    def seek(self, offset: int) -> None:
        """Go to an offset that is known to be inside the file."""
        self._start, self._at, self._data = offset, 0, b""

    def need(self, count: int, field: str) -> None:
        """Raise InvalidGGUF unless that many bytes follow."""
        if count > self.remaining:
            raise InvalidGGUF(f"needs {count} bytes, only {self.remaining} are left", field=field, offset=self.offset)

    def take(self, count: int, field: str) -> bytes:
        """Return the next bytes and go behind them."""
        self._load(count, field)
        piece = self._data[self._at : self._at + count]
        self._at += count
        return piece

    def skip(self, count: int, field: str) -> None:
        """Go forward without reading."""
        self.need(count, field)
        if count <= len(self._data) - self._at:
            self._at += count
        else:
            self.seek(self.offset + count)

    def number(self, code: struct.Struct, field: str) -> int | float:
        """Return the next number."""
        value: int | float = code.unpack(self.take(code.size, field))[0]
        return value

    def length(self, field: str) -> int:
        """Return the next 64-bit count."""
        return int(self.number(_U64, field))

    def skip_strings(self, count: int, field: str) -> None:
        """Go behind that many strings. This loop is the cost of a large vocabulary, so it works on the chunk itself."""
        unpack = _U64.unpack_from
        while count:
            self._load(8, field)
            data, at = self._data, self._at
            last = len(data) - 8
            while count and at <= last:
                at += 8 + unpack(data, at)[0]
                count -= 1
            beyond = at - len(data)
            self._at = min(at, len(data))
            if beyond > 0:
                self.skip(beyond, field)

    def _load(self, count: int, field: str) -> None:
        if count <= len(self._data) - self._at:
            return
        self.need(count, field)
        self._start, self._at = self.offset, 0
        self._data = os.pread(self._fd, max(count, _CHUNK), self._start)
        if len(self._data) < count:
            raise InvalidGGUF("the file became shorter while it was read", field=field, offset=self._start)
