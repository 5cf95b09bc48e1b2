"""`corral list`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from corral.cli import wording
from corral.cli.output import hint, json_option, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.api import ModelSummary
    from corral.cli.invocation import Invocation


@click.command("list")
@click.argument("prefix", default="")
@json_option
@click.pass_obj
def command(invocation: Invocation, *, prefix: str, as_json: bool) -> None:
    """List installed models, newest first; all, or those whose names start with PREFIX."""
    models = [m for m in asyncio.run(_summaries(invocation)) if m.name.lower().startswith(prefix.lower())]
    if as_json:
        print_json(models)
        return
    print_summaries(models)
    if not models:
        hint(f"no installed model starts with '{prefix}'" if prefix else "no model is installed yet (try: corral run smollm2)")


async def _summaries(invocation: Invocation) -> Sequence[ModelSummary]:
    from corral.cli.backend import open_models

    async with open_models(invocation) as models:
        return await models.summaries()


def print_summaries(models: Sequence[ModelSummary]) -> None:
    """Print installed models as a table."""
    rows = [(m.name, m.digest.removeprefix("sha256:")[:12], wording.size(m.size), wording.ago(m.modified_at)) for m in models]
    print_table(("NAME", "ID", "SIZE", "MODIFIED"), rows)
