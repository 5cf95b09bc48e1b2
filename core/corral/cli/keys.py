"""`corral keys`."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING

import click

from corral.cli import wording
from corral.cli.output import hint, json_option, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.cli.invocation import Invocation
    from corral.keys import KeyFile

_SCOPES = ("infer", "read", "admin")


@click.group("keys")
def command() -> None:
    """Manage the API keys that the server asks for; without any, it asks for none.

    A running server notices changes at once. Commands use the key in CORRAL_API_KEY.
    """


@command.command("add")
@click.argument("name")
@click.option(
    "--scope", "scopes", type=click.Choice(_SCOPES), multiple=True, help="What the key may do (repeatable).  [default: infer, read]"
)
@click.pass_obj
def add(invocation: Invocation, *, name: str, scopes: Sequence[str]) -> None:
    """Make a key and print its secret, this once."""
    from corral.keys import Scope

    key, secret = _file(invocation).add(name, [Scope(scope) for scope in scopes or ("infer", "read")])
    click.echo(f"key '{key.name}' ({key.id}) may {', '.join(scope.value for scope in key.scopes)}; keep its secret:", err=True)
    click.echo(secret)


@command.command("list")
@json_option
@click.pass_obj
def list_keys(invocation: Invocation, *, as_json: bool) -> None:
    """List keys, without their secrets."""
    keys = _file(invocation).keys()
    rows = [(key.name, key.id, ",".join(scope.value for scope in key.scopes), key.created_at) for key in keys]
    if as_json:
        print_json([dict(zip(("name", "id", "scopes", "created_at"), row, strict=True)) for row in rows])
        return
    print_table(("NAME", "ID", "SCOPES", "CREATED"), [(*row[:3], wording.ago(datetime.fromisoformat(row[3]))) for row in rows])
    if not keys:
        hint("there are no keys, so the server asks for none (make one with: corral keys add NAME)")


@command.command("revoke")
@click.argument("name")
@click.pass_obj
def revoke(invocation: Invocation, *, name: str) -> None:
    """Forget the key of that name or id."""
    key = _file(invocation).revoke(name)
    click.echo(f"revoked '{key.name}' ({key.id})")


def _file(invocation: Invocation) -> KeyFile:
    """Return the server's keys, the one of the environment included."""
    from corral.keys import VARIABLE, KeyFile

    return KeyFile(invocation.settings.home / "keys.json", secret=os.environ.get(VARIABLE, ""))
