"""Load one plugin as corral would, without installing it."""

from __future__ import annotations

from corral.plugins import Candidate, PluginHost


def load_plugin(plugin: object, name: str = "tested") -> PluginHost:
    """Return a host with that plugin alone, a module or an object with hooks; raise PluginError when it is broken."""
    return PluginHost.load(entry_points=[Candidate(name=name, load=lambda: plugin)], strict=True)
