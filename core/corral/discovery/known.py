"""What each plugin has reported so far, so that what is missing now is lost and not forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.discovery.cleaning import clean
from corral.discovery.identity import is_same

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from corral.devices import Device
    from corral.discovery.reports import Report


class Known:
    """All devices that were ever there, by the plugin that reported them."""

    def __init__(self) -> None:
        self._by_plugin: dict[str, list[Device]] = {}

    def remember(self, reports: Iterable[Report]) -> None:
        """Add what is reported now, in the place of what was known of the same devices."""
        for report in reports:
            now = cleaned(report)
            others = [device for device in self._by_plugin.get(report.plugin, []) if not matches_any(device, now)]
            self._by_plugin[report.plugin] = [*others, *now]

    def missing(self, reports: Mapping[str, Report]) -> list[Device]:
        """Return the devices that their plugins do not report any more."""
        return [device for plugin, devices in self._by_plugin.items() for device in devices if not is_listed(device, reports.get(plugin))]


def cleaned(report: Report) -> list[Device]:
    """Return the devices of a report, without what can't be true."""
    return [clean(device, report.plugin) for device in report.devices]


def is_listed(device: Device, report: Report | None) -> bool:
    """Return whether a report has the device."""
    return report is not None and matches_any(device, cleaned(report))


def matches_any(device: Device, others: Sequence[Device]) -> bool:
    """Return whether the device is one of the others."""
    return any(is_same(device, other) for other in others)
