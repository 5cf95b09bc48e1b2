"""Read standard input and files as exact text, and write exact text to standard output."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from corral.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

    from corral.conversation import Json


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
