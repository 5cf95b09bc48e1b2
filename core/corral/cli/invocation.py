"""What one call of the command line was given, and what it needs from the house."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from corral.plugins import PluginHost
    from corral.settings import Settings


class Invocation:
    """The flags of one call; settings and plugins are loaded when a command first asks for them."""

    def __init__(self) -> None:
        self.flags: dict[str, str] = {}
        #: Plugins to try without installing them.
        self.plugin_files: tuple[Path, ...] = ()

    def set(self, **flags: str | None) -> None:
        """Take flags by the name of their setting; None was not given."""
        self.flags.update({name: text for name, text in flags.items() if text is not None})

    @cached_property
    def settings(self) -> Settings:
        """Return the settings in force."""
        from corral.settings import load_settings

        return load_settings(self.flags, os.environ)

    @property
    def api_key(self) -> str:
        """Return the key that a server may ask for; empty for none."""
        return os.environ.get("CORRAL_API_KEY") or os.environ.get("OLLAMA_API_KEY", "")

    @cached_property
    def plugins(self) -> PluginHost:
        """Return the loaded plugins, after a warning for each broken one: what it offers will be missing."""
        from corral.plugins import Status

        host = self.load_plugins(strict=self.settings.strict_plugins)
        for report in host.reports():
            if report.status is Status.BROKEN:
                warn(f"plugin '{report.name}' ({report.distribution} {report.version}) is left out: {report.reason}")
        return host

    def load_plugins(self, *, strict: bool = False) -> PluginHost:
        """Load the plugins afresh, without a word about broken ones."""
        from corral.plugins import PluginHost

        return PluginHost.load(self.settings.plugins, strict=strict, files=self.plugin_files)


def warn(message: str) -> None:
    """Tell of something that is less than was asked for."""
    click.echo(f"Warning: {message}", err=True)
