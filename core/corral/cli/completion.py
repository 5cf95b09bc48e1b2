"""`corral completion`."""

from __future__ import annotations

import click

#: In a docstring, the mark that keeps click from joining the lines could be written only as an escape.
_HELP = """Print the completion script for a shell.

\b
bash:  eval "$(corral completion bash)"
zsh:   eval "$(corral completion zsh)"
fish:  corral completion fish | source
"""


@click.command("completion", help=_HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, *, shell: str) -> None:
    """Print the completion script for a shell."""
    from click.shell_completion import get_completion_class

    complete = get_completion_class(shell)
    assert complete is not None
    click.echo(complete(ctx.find_root().command, {}, "corral", "_CORRAL_COMPLETE").source())
