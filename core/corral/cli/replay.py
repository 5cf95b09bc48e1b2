"""`corral replay`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

from corral.errors import CorralError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from httpx2 import AsyncClient

    from corral.cli.invocation import Invocation
    from corral.serve.journal import Entry


@click.command("replay")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--only", "ids", metavar="ID", multiple=True, help="Send the request with this id only (repeatable).")
@click.pass_obj
def command(invocation: Invocation, *, file: Path, ids: Sequence[str]) -> None:
    """Send the requests of a log to the server again, one after the other, and show how it answers now.

    A server writes such a log when CORRAL_REQUEST_LOG names a file.
    """
    asyncio.run(_replay(invocation, [entry for entry in _entries(file) if not ids or entry.id in ids]))


def _entries(file: Path) -> list[Entry]:
    import msgspec

    from corral.serve.journal import read_journal

    try:
        return read_journal(file)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"{file} is no log of requests: {error}") from error


async def _replay(invocation: Invocation, entries: Sequence[Entry]) -> None:
    import httpx2

    headers = {"Authorization": f"Bearer {invocation.api_key}"} if invocation.api_key else {}
    timeout = httpx2.Timeout(10.0, read=None)
    async with httpx2.AsyncClient(base_url=invocation.settings.url, headers=headers, timeout=timeout) as client:
        for entry in entries:
            await _send(client, entry)


async def _send(client: AsyncClient, entry: Entry) -> None:
    import httpx2

    content = entry.content()
    if entry.size != len(content):
        click.echo(f"{entry.id} {entry.method} {entry.path}: left out, its body of {entry.size} bytes was not kept")
        return
    started = perf_counter()
    try:
        response = await client.request(entry.method, entry.path, content=content, headers={"Content-Type": entry.content_type})
    except httpx2.HTTPError as error:
        raise CorralError(f"{entry.id} {entry.method} {entry.path}: {error}") from error
    seconds = perf_counter() - started
    click.echo(
        f"{entry.id} {entry.method} {entry.path}: {entry.status} then, {response.status_code} now, "
        f"{len(response.content)} bytes, {seconds:.2f} s"
    )
