"""`corral ps`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from corral.cli import wording
from corral.cli.output import hint, json_option, print_json, print_table

if TYPE_CHECKING:
    from corral.cli.invocation import Invocation
    from corral.client import LoadedModel


@click.command("ps")
@click.argument("prefix", default="")
@json_option
@click.pass_obj
def command(invocation: Invocation, *, prefix: str, as_json: bool) -> None:
    """List the models that the server has loaded; all, or those whose names start with PREFIX."""
    models = [m for m in asyncio.run(_running(invocation)) if m.name.lower().startswith(prefix.lower())]
    if as_json:
        print_json(models)
        return
    print_table(("NAME", "ID", "SIZE", "PROCESSOR", "CONTEXT", "UNTIL"), [_row(model) for model in models])
    if not models:
        hint("the server has no such model loaded" if prefix else "the server has no model loaded; the first request loads one")


async def _running(invocation: Invocation) -> list[LoadedModel]:
    from corral.cli.backend import require_server

    async with await require_server(invocation) as client:
        return await client.running()


def _row(model: LoadedModel) -> tuple[str, ...]:
    return (
        model.name,
        model.digest.removeprefix("sha256:")[:12],
        wording.size(model.size),
        wording.processor(model.size, model.device_bytes),
        str(model.context_tokens),
        wording.until(model.expires_at),
    )
