"""Print tables, sections and JSON."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from dataclasses import asdict, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corral.cli import wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_GAP = "    "
#: A last column is not squeezed further; the terminal may break the line then.
_NARROWEST = 24

json_option: Callable[[Callable[..., None]], Callable[..., None]] = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: object) -> None:
    """Print a value as indented JSON; dataclasses become objects."""
    click.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False, default=_plain))


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case Path():
            return str(value)
        case frozenset() | set():
            return sorted(value)
        case bytes():
            return value.hex()
        case _:
            return value


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print columns as wide as their contents, four spaces apart, without lines around them; a terminal's last one is wrapped."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header) - 1)]
    for *cells, last in lines:
        print_wrapped("".join(cell.ljust(width) + _GAP for cell, width in zip(cells, widths, strict=True)), last)


def print_section(title: str, rows: Iterable[Sequence[str]]) -> None:
    """Print a title and its rows, indented and aligned, a long last cell wrapped; nothing at all when there are no rows."""
    rows = [list(row) for row in rows]
    if not rows:
        return
    widths = [max((len(row[column]) for row in rows if len(row) > column + 1), default=0) for column in range(max(map(len, rows)))]
    click.echo(f"  {title}")
    for *cells, last in rows:
        _print_in(width(), "".join(f"{_GAP}{cell.ljust(width)}" for cell, width in zip(cells, widths, strict=False)) + _GAP, last)
    click.echo()


def print_wrapped(start: str, text: str) -> None:
    """Print a text after `start`, wrapped in a terminal; elsewhere it is one line, for programs that look for it."""
    if sys.stdout.isatty():
        _print_in(width(), start, text)
    else:
        click.echo(f"{start}{text}".rstrip())


def _print_in(columns: int, start: str, text: str) -> None:
    """Print a text that begins after `start`, and goes on below its own beginning when the line is full."""
    indent = len(click.unstyle(start))
    first, *others = textwrap.wrap(text, max(columns - indent, _NARROWEST), break_long_words=False, break_on_hyphens=False) or [""]
    click.echo(f"{start}{first}".rstrip())
    for line in others:
        click.echo(" " * indent + line)


def hint(text: str) -> None:
    """Tell a person at a terminal what an empty table means; programs read the table."""
    if sys.stdout.isatty():
        click.echo(text, err=True)


def width() -> int:
    """Return how many characters fit in a line of the terminal."""
    return shutil.get_terminal_size((80, 24)).columns


def shorten(text: str, limit: int) -> str:
    """Return a text on one line, cut with an ellipsis when it is longer than the limit."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: max(limit - 1, 0)] + "…"


def memory_bar(free: int | None, total: int | None, columns: int) -> str:
    """Return a bar of how much memory is taken, with figures; empty when nobody could say."""
    if not total or free is None:
        return ""
    taken = min(max(total - free, 0), total)
    filled = round(columns * taken / total)
    return f"{'#' * filled}{'.' * (columns - filled)} {wording.memory(taken)} of {wording.memory(total)} taken"
