"""Show long work on the terminal: a bar for bytes, a line for each step; plain lines when nobody watches."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from corral.cli.streams import closing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from corral.fetching import Progress


async def follow(steps: AsyncIterator[Progress]) -> None:
    """Show the steps until they end."""
    async with closing(steps):
        await (_draw if sys.stderr.isatty() else _tell)(steps)


@contextmanager
def waiting(message: str) -> Iterator[None]:
    """Show that something is going on, when somebody watches."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(message):
        yield


async def _tell(steps: AsyncIterator[Progress]) -> None:
    """Print each status once, for logs and pipes."""
    last = ""
    async for step in steps:
        if step.status != last:
            click.echo(step.status, err=True)
            last = step.status


async def _draw(steps: AsyncIterator[Progress]) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        current, status = None, ""
        async for step in steps:
            if step.status != status:
                if status:
                    bars.console.print(status, highlight=False, markup=False)
                if current is not None:
                    bars.remove_task(current)
                current, status = bars.add_task(step.status, total=None), step.status
            if current is not None and step.total:
                bars.update(current, total=step.total, completed=step.completed)
    click.echo(status, err=True)
