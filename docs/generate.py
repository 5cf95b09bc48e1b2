"""Write the pages of `docs/` that say what the program itself says: run `python docs/generate.py` after changing it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from corral.cli.commands import SECTIONS
from corral.cli.config import shown
from corral.cli.root import corral
from corral.plugins import PluginHost
from corral.plugins.candidates import installed
from corral.settings import Settings
from corral.settings.loading import KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.settings.loading import Known

_SETTINGS_INTRODUCTION = """\
Every setting has a variable; the most used ones have a flag, too. A flag wins over `CORRAL_X`, that over Ollama's
variable of the same meaning, that over the default. A value that can't be read is an error that names its variable.
`corral config` shows what is in force and where each value came from; `corral doctor` tells of misspelt variables."""

_SETTINGS_VALUES = """\
Durations are written as in Go (`90s`, `5m`, `1h30m`) or as a number of seconds; sizes as bytes or with a unit of 1024
(`512MiB`, `2G`); yes and no as `1`, `true`, `yes`, `on` and `0`, `false`, `no`, `off`. An address is
`[scheme://]host[:port][/path]`, with port 11434 when it has neither port nor scheme; `:8080` is every interface."""

_SETTINGS_OF_PLUGINS = """\
Plugins may read variables of their own. These are of the plugins that come with corral; `corral config` shows those of all
that are installed."""

FOLDER = Path(__file__).parent
_WARNING = "<!-- Written by docs/generate.py; change the program instead. -->"


def pages() -> dict[str, str]:
    """Return the text of each generated page by its file name."""
    return {"cli.md": _page("Commands", _commands()), "settings.md": _page("Settings", _settings())}


def _page(title: str, blocks: Iterator[str]) -> str:
    return "\n\n".join([f"# {title}", _WARNING, *blocks]) + "\n"


def _commands() -> Iterator[str]:
    root = _context(corral, "corral", None)
    yield _help(corral, root)
    for title, commands in SECTIONS:
        yield f"## {title}"
        for name, _ in commands:
            command = corral.get_command(root, name)
            assert command is not None
            context = _context(command, name, root)
            yield f"### corral {name}"
            yield _help(command, context)
            for inner, part in command.commands.items() if isinstance(command, click.Group) else ():
                yield _help(part, _context(part, inner, context))


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    return click.Context(command, info_name=name, parent=parent, terminal_width=80, **command.context_settings)


def _help(command: click.Command, context: click.Context) -> str:
    return f"```text\n{command.get_help(context)}\n```"


def _settings() -> Iterator[str]:
    yield _SETTINGS_INTRODUCTION
    yield "\n".join(["| Variable | Ollama's | Default | Meaning |", "|---|---|---|---|", *map(_row, KNOWN)])
    yield _SETTINGS_VALUES
    yield _SETTINGS_OF_PLUGINS
    variables = PluginHost.load(entry_points=[plugin for plugin in installed() if plugin.distribution == "corral"]).variables()
    yield "\n".join(["| Variable | Meaning |", "|---|---|", *(f"| `{v.name}` | {v.summary} |" for v in variables)])


def _row(known: Known) -> str:
    default = shown(known.field, getattr(Settings(), known.field)).replace(str(Path.home()), "~")
    ollama = f"`{known.ollama}`" if known.ollama else ""
    return f"| `{known.variable}` | {ollama} | {default} | {known.summary} |"


def main() -> None:
    """Write the generated pages."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"wrote docs/{name}")


if __name__ == "__main__":
    main()
