"""`corral stop`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from corral.cli.names import complete_models
from corral.errors import ModelNotFound, NotFound

if TYPE_CHECKING:
    from corral.cli.invocation import Invocation


@click.command("stop")
@click.argument("model", shell_complete=complete_models)
@click.pass_obj
def command(invocation: Invocation, *, model: str) -> None:
    """Unload a model from the server, as soon as it is idle."""
    asyncio.run(_stop(invocation, model))


async def _stop(invocation: Invocation, model: str) -> None:
    from corral.cli.backend import require_server

    async with await require_server(invocation) as client:
        try:
            await client.unload(model)
        except NotFound as error:
            raise ModelNotFound(model) from error
