"""Show long work on the terminal: a bar for bytes, a line for each step; plain lines when nobody watches."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from corral.cli.streams import closing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from corral.fetching import Progress as Step


async def follow(steps: AsyncIterator[Step]) -> None:
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


async def _tell(steps: AsyncIterator[Step]) -> None:
    """Print each status once, for logs and pipes."""
    last = ""
    async for step in steps:
        if step.status != last:
            click.echo(step.status, err=True)
            last = step.status


async def _draw(steps: AsyncIterator[Step]) -> None:
    """Draw the step that is going on; the ones that are over stay above it."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    plain = (SpinnerColumn(), TextColumn("{task.description}", markup=False))
    with_bytes = (*plain, BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*plain, console=Console(stderr=True), transient=True) as display:
        task, status = display.add_task("", total=None), ""
        async for step in steps:
            display.columns = with_bytes if step.total else plain
            if step.status != status:
                if status:
                    display.console.print(status, highlight=False, markup=False)
                status = step.status
                display.reset(task, description=status)
            display.update(task, total=step.total or None, completed=step.completed)
    click.echo(status, err=True)
