"""Load plugins and call their hooks, by name and with types; the only room that talks to pluggy."""

from __future__ import annotations

from corral.plugins.candidates import Candidate
from corral.plugins.host import PluginHost
from corral.plugins.index import Kind
from corral.plugins.report import DeviceReport, HookTimes, PluginReport, Status

__all__ = ["Candidate", "DeviceReport", "HookTimes", "Kind", "PluginHost", "PluginReport", "Status"]
