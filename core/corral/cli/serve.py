"""`corral serve`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from corral.cli.invocation import Invocation


@click.command("serve")
@click.option("--keep-alive", metavar="DURATION", help="How long an idle model stays loaded; -1 is for ever.")
@click.option("--num-parallel", metavar="N", help="Sequences at once per model.")
@click.option("--context-length", metavar="TOKENS", help="Tokens per sequence.")
@click.option("--max-loaded-models", metavar="N", help="Models loaded at once.")
@click.option("--max-queue", metavar="N", help="Requests that may wait for a model.")
@click.option("--origins", metavar="ORIGIN,...", help="Extra origins that browsers may call from.")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    keep_alive: str | None,
    num_parallel: str | None,
    context_length: str | None,
    max_loaded_models: str | None,
    max_queue: str | None,
    origins: str | None,
) -> None:
    """Start the server, and stop it with Ctrl-C.

    Ollama's native API, OpenAI's and Anthropic's are served on one address, 127.0.0.1:11434 unless told
    otherwise by --host or CORRAL_HOST.
    """
    from corral.serve import run

    invocation.set(
        keep_alive_s=keep_alive,
        num_parallel=num_parallel,
        context_length=context_length,
        max_loaded_models=max_loaded_models,
        max_queue=max_queue,
        origins=origins,
    )
    asyncio.run(run(invocation.settings, invocation.plugins))
