"""See the devices of this machine as an engine would, and keep what each plugin said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.discovery import Discovery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.cli.invocation import Invocation
    from corral.devices import Device
    from corral.plugins import DeviceReport, PluginHost
    from corral.runners import Notice
    from corral.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The devices, what each plugin reported, and what a person should know."""

    devices: Sequence[Device]
    reports: Sequence[DeviceReport]
    notices: Sequence[Notice]


async def survey(invocation: Invocation) -> Survey:
    """Look for devices once, and return all that was seen."""
    host = _Recorder(invocation.plugins)
    discovery = Discovery(host, invocation.settings)
    devices = await discovery.devices()
    return Survey(devices=devices, reports=tuple(host.reports.values()), notices=discovery.notices)


class _Recorder:
    """Hands the question on and keeps the answers, because looking a second time would take as long again."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host
        self.reports: dict[str, DeviceReport] = {}

    def discover_devices(self, settings: Settings, *, quick: bool = False) -> Sequence[DeviceReport]:
        """Ask the plugins."""
        reports = self._host.discover_devices(settings, quick=quick)
        for report in reports:
            self.reports.setdefault(report.plugin, report)
        return reports
