"""Read standard input and files as exact text, write exact text, and leave no stream of events open."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import click

from corral.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from corral.conversation import Json

Step = TypeVar("Step")


@asynccontextmanager
async def closing(steps: AsyncIterator[Step]) -> AsyncIterator[AsyncIterator[Step]]:
    """Yield an iterator and close it at the end, so that what it does ends in this task and not when it is collected."""
    try:
        yield steps
    finally:
        if isinstance(steps, AsyncGenerator):
            await steps.aclose()


def read_stdin(what: str) -> str:
    """Return all of standard input, line ends untouched; say what is awaited when a person sits there."""
    stream = sys.stdin.buffer
    if stream.isatty():
        click.echo(f"reading {what} from standard input (end with Ctrl-D)", err=True)
    return _decode(stream.read(), "standard input")


def read_text(path: Path) -> str:
    """Return the text of a file."""
    try:
        return _decode(path.read_bytes(), str(path))
    except OSError as error:
        raise InvalidInput(f"can't read {path}: {error.strerror}") from error


def read_json(text: str, what: str) -> Json:
    """Return the value of JSON text; raise InvalidInput saying what is wrong with it."""
    from corral.formats import load_json

    try:
        return load_json(text)
    except ValueError as error:
        raise InvalidInput(f"{what} is not JSON: {error}") from error


def write_exactly(text: str) -> None:
    """Write text to standard output without adding or changing anything."""
    sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))


def _decode(data: bytes, what: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{what} is not UTF-8: byte {error.start} is {data[error.start]:#04x}") from error
