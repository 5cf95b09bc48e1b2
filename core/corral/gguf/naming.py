"""Which file an error is about: headers are read from blobs, whose names tell nobody anything."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from corral.errors import InvalidGGUF

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def named(file: str) -> Iterator[None]:
    """Let every InvalidGGUF that leaves the block say what people call the file."""
    try:
        yield
    except InvalidGGUF as error:
        if error.file:
            raise
        raise InvalidGGUF(error.message, field=error.field, offset=error.offset, file=file) from error
