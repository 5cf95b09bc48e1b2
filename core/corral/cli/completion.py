"""`corral completion`."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, *, shell: str) -> None:
    r"""Print the completion script for a shell.

    \b
    bash:  eval "$(corral completion bash)"
    zsh:   eval "$(corral completion zsh)"
    fish:  corral completion fish | source
    """
    from click.shell_completion import get_completion_class

    complete = get_completion_class(shell)
    assert complete is not None
    click.echo(complete(ctx.find_root().command, {}, "corral", "_CORRAL_COMPLETE").source())
