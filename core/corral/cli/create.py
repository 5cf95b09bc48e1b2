"""`corral create`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corral.cli.invocation import warn
from corral.cli.streams import read_stdin, read_text

if TYPE_CHECKING:
    from corral.cli.invocation import Invocation
    from corral.modelfile import Modelfile


@click.command("create")
@click.argument("model")
@click.option("-f", "--file", "path", default="Modelfile", show_default=True, metavar="FILE", help="The Modelfile; - is standard input.")
@click.pass_obj
def command(invocation: Invocation, *, model: str, path: str) -> None:
    """Make a model from a Modelfile.

    FROM names a GGUF file, a folder of them, or an installed model; paths are relative to the Modelfile.
    """
    from corral import modelfile

    text = read_stdin("a Modelfile") if path == "-" else read_text(Path(path))
    parsed = modelfile.parse(text)
    for warning in parsed.warnings:
        warn(warning)
    asyncio.run(_create(invocation, model, parsed, Path() if path == "-" else Path(path).parent))


async def _create(invocation: Invocation, model: str, modelfile: Modelfile, folder: Path) -> None:
    from corral.cli.backend import open_models
    from corral.cli.model_files import bring, find_files
    from corral.cli.progress import follow
    from corral.library.modelfiles import request_of

    found = find_files(modelfile, folder)
    async with open_models(invocation) as models:
        request = request_of(
            modelfile,
            model,
            base=found.base,
            files=await bring(found.files, models),
            adapters=await bring(found.adapters, models),
            drafts=await bring(found.drafts, models),
        )
        await follow(models.create(request))
