"""Complete the names of models, renderers and parsers on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.errors import CorralError

if TYPE_CHECKING:
    import click

    from corral.cli.invocation import Invocation


def complete_models(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the installed names that begin so; only the disk is asked, because a person waits for the next key."""
    from corral.store import Store

    try:
        names = Store(_invocation(ctx).settings.models).catalog.names()
    except CorralError:
        return []
    return [short for name in names if (short := name.short.removesuffix(":latest")).startswith(incomplete)]


def complete_renderers(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the renderers whose names begin so."""
    return sorted(name for name in _invocation(ctx).load_plugins().renderers() if name.startswith(incomplete))


def complete_parsers(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the parsers whose names begin so."""
    return sorted(name for name in _invocation(ctx).load_plugins().parsers() if name.startswith(incomplete))


def _invocation(ctx: click.Context) -> Invocation:
    """Return the invocation; while completing, click does not run the group's callback, and there may be none yet."""
    from corral.cli.invocation import Invocation

    root = ctx.find_root()
    if isinstance(root.obj, Invocation):
        return root.obj
    invocation = Invocation()
    invocation.set(models=root.params.get("models"))
    return invocation
