"""`corral version`."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from corral.cli.invocation import warn
from corral.cli.output import json_option, print_json

if TYPE_CHECKING:
    from corral.cli.invocation import Invocation


@click.command("version")
@json_option
@click.pass_obj
def command(invocation: Invocation, *, as_json: bool) -> None:
    """Show the versions of corral and of the server."""
    ours, theirs = version("corral"), asyncio.run(server_version(invocation))
    if as_json:
        print_json({"client": ours, "server": theirs})
        return
    click.echo(f"corral version is {ours}")
    if theirs is None:
        click.echo(f"no server is running at {invocation.settings.url}")
    elif theirs != ours:
        warn(f"the server at {invocation.settings.url} is " + (f"corral {theirs}" if theirs else "not corral"))


async def server_version(invocation: Invocation) -> str | None:
    """Return the server's version; empty when it is not corral, None when nothing answers."""
    from corral.client import Client, is_listening
    from corral.errors import CorralError

    url = invocation.settings.url
    if not is_listening(url):
        return None
    async with Client.at(url, api_key=invocation.api_key) as client:
        try:
            return await client.version()
        except CorralError:
            return ""
