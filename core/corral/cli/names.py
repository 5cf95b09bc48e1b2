"""Complete the names of models on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.errors import CorralError

if TYPE_CHECKING:
    import click

    from corral.cli.invocation import Invocation


def complete_models(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the installed names that begin so; only the disk is asked, because a person waits for the next key."""
    from corral.store import Store

    # While completing, click does not run the group's callback: there may be no invocation yet.
    invocation: Invocation = ctx.find_root().obj or _invocation(ctx.find_root())
    try:
        names = Store(invocation.settings.models).catalog.names()
    except CorralError:
        return []
    return [short for name in names if (short := name.short.removesuffix(":latest")).startswith(incomplete)]


def _invocation(root: click.Context) -> Invocation:
    from corral.cli.invocation import Invocation

    invocation = Invocation()
    invocation.set(models=root.params.get("models"))
    return invocation
