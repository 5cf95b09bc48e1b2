"""`corral cp`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from corral.cli.names import complete_models

if TYPE_CHECKING:
    from corral.cli.invocation import Invocation


@click.command("cp")
@click.argument("source", shell_complete=complete_models)
@click.argument("destination")
@click.pass_obj
def command(invocation: Invocation, *, source: str, destination: str) -> None:
    """Give the model SOURCE a second name, DESTINATION."""
    asyncio.run(_copy(invocation, source, destination))
    click.echo(f"copied '{source}' to '{destination}'")


async def _copy(invocation: Invocation, source: str, destination: str) -> None:
    from corral.cli.backend import open_models

    async with open_models(invocation) as models:
        await models.copy(source, destination)
