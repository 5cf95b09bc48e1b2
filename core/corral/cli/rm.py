"""`corral rm`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from corral.cli.names import complete_models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.cli.invocation import Invocation


@click.command("rm")
@click.argument("names", metavar="MODEL...", nargs=-1, required=True, shell_complete=complete_models)
@click.pass_obj
def command(invocation: Invocation, *, names: Sequence[str]) -> None:
    """Remove models, and the files that no other model needs."""
    asyncio.run(_remove(invocation, names))


async def _remove(invocation: Invocation, names: Sequence[str]) -> None:
    from corral.cli.backend import open_models

    async with open_models(invocation) as models:
        for name in names:
            await models.unload(name)
            await models.delete(name)
            click.echo(f"deleted '{name}'")
