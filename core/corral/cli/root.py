"""The command `corral`: the options of all commands, and each command imported when it is called."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corral.cli.commands import ALIASES, SECTIONS, SUMMARIES
from corral.cli.invocation import Invocation

if TYPE_CHECKING:
    from collections.abc import Sequence


class LazyGroup(click.Group):
    """A group that lists its commands from a table and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Return the names of all commands."""
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's signature
        """Import a command by its name or alias."""
        name = ALIASES.get(cmd_name, cmd_name)
        if name not in SUMMARIES:
            return None
        command = import_module(f"corral.cli.{name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name; suggest one when it is misspelt."""
        from difflib import get_close_matches

        if args and not args[0].startswith("-") and ALIASES.get(args[0], args[0]) not in SUMMARIES:
            close = get_close_matches(args[0], SUMMARIES, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            ctx.fail(f"no such command '{args[0]}'{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's signature
        """Write the sections of commands."""
        for title, commands in SECTIONS:
            with formatter.section(title):
                formatter.write_dl(commands)


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _print_version(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        click.echo(f"corral version is {version('corral')}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, subcommand_metavar="COMMAND ...")
@click.option("--host", metavar="HOST:PORT", help="Where the server is, or is to listen.")
@click.option("--models", metavar="FOLDER", help="Where the models are.")
@click.option("-p", "plugins", metavar="NAME", multiple=True, help="Use only this plugin (repeatable); no:NAME leaves one out.")
@click.option("--plugin-file", "files", metavar="FILE", type=_FILE, multiple=True, help="Load a plugin that is not installed (repeatable).")
@click.option("--strict-plugins", is_flag=True, help="Fail when a plugin is broken.")
@click.option("--log", metavar="LEVEL", help="Log debug, info, warning or error.")
@click.option("-v", "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version.")
@click.pass_context
def corral(
    ctx: click.Context,
    *,
    host: str | None,
    models: str | None,
    plugins: Sequence[str],
    files: tuple[Path, ...],
    strict_plugins: bool,
    log: str | None,
) -> None:
    """Serve local language models; every special part is a plugin.

    Try `corral run smollm2`. Every setting has a variable, CORRAL_HOST for --host and so on: see `corral config`.
    """
    invocation = Invocation()
    invocation.set(host=host, models=models, log=log, plugins=",".join(plugins) or None, strict_plugins="yes" if strict_plugins else None)
    invocation.plugin_files = files
    ctx.obj = invocation
