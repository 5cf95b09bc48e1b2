"""Keep the list of devices: found once, refreshed cheaply, and probed again when something appears."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from corral.discovery import visibility
from corral.discovery.known import Known, cleaned, is_listed, matches_any
from corral.discovery.merging import merge
from corral.discovery.ordering import in_order
from corral.discovery.rules import LOST, without_dwarfs
from corral.runners import Notice

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from corral.devices import Absent, Device
    from corral.discovery.reports import DeviceHost, Report
    from corral.settings import Settings

_log = logging.getLogger(__name__)

#: Asks the runners that are alive for the free bytes of their devices, by `Device.key`.
LiveMemory: TypeAlias = "Callable[[], Awaitable[Mapping[tuple[str, str], int]]]"

#: Seconds: for a refresh, until the next one, until that when one fails again and again, and between two discoveries.
_REFRESH_LIMIT_S = 3.0
_FRESH_S = 1.0
_FRESH_AFTER_ERRORS_S = 60.0
_REST_S = 10.0
#: Seconds between two probes when runners fail.
_DOUBT_REST_S = 2.0
#: Seconds until something lost is looked for, twice as long each time in vain.
_RETRY_S = 30.0
_LONGEST_RETRY_S = 600.0

#: No plugin has this name.
_RUNNERS = "(runners)"


class Discovery:
    """The devices of this machine. Several tasks may ask at once; one of them looks, and the others get what it saw."""

    def __init__(
        self,
        host: DeviceHost,
        settings: Settings,
        *,
        live_memory: LiveMemory | None = None,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._settings = settings
        self._live_memory = live_memory
        self._environment = os.environ if environment is None else environment
        self._clock = clock
        self._looking = asyncio.Lock()
        #: The latest report of each plugin that could look.
        self._reports: dict[str, Report] = {}
        self._known = Known()
        self._is_doubted = False
        self._retry_s = _RETRY_S
        self._devices: list[Device] = []
        #: What went wrong last time, by the plugin (or the runners) that it went wrong with.
        self._problems: dict[str, Notice] = {}
        self._probed_at = self._seen_at = float("-inf")
        self._fresh_s = _FRESH_S

    @property
    def notices(self) -> list[Notice]:
        """Return what a person should know: overrides in the environment, plugins that failed, figures that are old."""
        return [*visibility.notices(self._environment), *self._problems.values()]

    @property
    def absent(self) -> list[Absent]:
        """Return why there is nothing of a backend."""
        return [absent for report in self._reports.values() for absent in report.absent]

    async def devices(self) -> list[Device]:
        """Return all devices, preferred ones first, with free memory that is about a second old at most. The list is a copy."""
        async with self._looking:
            if not self._reports or self._clock() - self._probed_at > self._rest_s():
                await self._discover()
            elif self._clock() - self._seen_at > self._fresh_s:
                await self._refresh()
            return list(self._devices)

    async def refresh(self) -> None:
        """Measure free memory again now."""
        async with self._looking:
            await (self._refresh() if self._reports else self._discover())

    def distrust(self) -> None:
        """Have every device probed again before the next answer: a runner failed on one."""
        self._is_doubted = True

    async def rediscover(self) -> None:
        """Probe every device again now."""
        async with self._looking:
            await self._discover()

    async def _discover(self) -> None:
        reports = await asyncio.to_thread(self._host.discover_devices, self._settings)
        # A plugin that can't look this time has not lost its devices.
        self._reports = {report.plugin: self._reports.get(report.plugin, report) if report.error else report for report in reports}
        self._known.remember(self._reports.values())
        self._problems = {report.plugin: _failed(report) for report in reports if report.error}
        self._probed_at = self._seen_at = self._clock()
        self._fresh_s = _FRESH_S
        self._devices = self._build({})
        self._is_doubted = False
        self._retry_s = min(self._retry_s * 2, _LONGEST_RETRY_S) if self._has_lost() else _RETRY_S
        self._tell()

    def _rest_s(self) -> float:
        """Return how long after a probe the next one is due by itself: soon when in doubt, later when something is lost."""
        if self._is_doubted:
            return _DOUBT_REST_S
        return self._retry_s if self._has_lost() else math.inf

    def _has_lost(self) -> bool:
        return any(device.unusable == LOST for device in self._devices)

    def _tell(self) -> None:
        for device in self._devices:
            verdict = f"unusable: {device.unusable.reason}" if device.unusable else f"for {', '.join(sorted(device.runners)) or 'nobody'}"
            _log.info("device %s (%s, %s) %s", device.name, device.description, device.kind.value, verdict)
        for notice in self.notices:
            _log.warning("%s", notice.message)

    async def _refresh(self) -> None:
        limited = replace(self._settings, probe_timeout_s=min(_REFRESH_LIMIT_S, self._settings.probe_timeout_s))
        reports = await asyncio.to_thread(self._host.discover_devices, limited, quick=True)
        if self._has_new(reports) and self._clock() - self._probed_at > _REST_S:
            await self._discover()
            return
        before = self._devices
        self._note(reports)
        self._reports.update({report.plugin: report for report in reports if not report.error and not self._has_new([report])})
        self._devices = self._build(await self._ask_runners())
        self._seen_at = self._clock()
        self._tell_lost(before)

    def _tell_lost(self, before: Sequence[Device]) -> None:
        known = {device.key for device in before if device.unusable == LOST}
        for device in self._devices:
            if device.unusable == LOST and device.key not in known:
                _log.warning("device %s (%s) is %s", device.name, device.description, LOST.reason)

    def _note(self, reports: Sequence[Report]) -> None:
        """Note which plugins failed, and ask less often then: a driver that hangs keeps a thread each time."""
        failed = {report.plugin: _stale(report) for report in reports if report.error}
        answered = {report.plugin for report in reports} - set(failed)
        self._problems = {**{name: notice for name, notice in self._problems.items() if name not in answered}, **failed}
        self._fresh_s = min(self._fresh_s * 2, _FRESH_AFTER_ERRORS_S) if failed else _FRESH_S

    def _has_new(self, reports: Sequence[Report]) -> bool:
        """Return whether a device is listed that was not there before, or was lost."""
        return any(not is_listed(device, self._reports.get(report.plugin)) for report in reports for device in cleaned(report))

    async def _ask_runners(self) -> Mapping[tuple[str, str], int]:
        if self._live_memory is None:
            return {}
        self._problems.pop(_RUNNERS, None)
        try:
            async with asyncio.timeout(_REFRESH_LIMIT_S):
                return await self._live_memory()
        except TimeoutError:
            self._problems[_RUNNERS] = Notice(code="memory_stale", message="runners did not tell their free memory in time")
            return {}

    def _build(self, live: Mapping[tuple[str, str], int]) -> list[Device]:
        lost = self._known.missing(self._reports)
        seen = [device for report in self._reports.values() for device in cleaned(report)]
        merged = merge([*seen, *lost], self._environment)
        marked = [replace(device, unusable=LOST, free_bytes=None) if matches_any(device, lost) else device for device in merged]
        measuring = {report.plugin for report in self._reports.values() if report.quick}
        return in_order(without_dwarfs(_measured(device, measuring, live) for device in marked))


def _measured(device: Device, measuring: Collection[str], live: Mapping[tuple[str, str], int]) -> Device:
    """Return the device with the free memory that its runners tell, unless a vendor's library tells it better."""
    if device.unusable is not None or not set(measuring).isdisjoint(device.reported_by):
        return device
    free = live.get(device.key)
    return replace(device, is_measured=False) if free is None else replace(device, free_bytes=free)


def _failed(report: Report) -> Notice:
    return Notice(code="discovery_failed", message=f"plugin '{report.plugin}' could not look for devices: {report.error}")


def _stale(report: Report) -> Notice:
    return Notice(code="memory_stale", message=f"plugin '{report.plugin}' did not tell free memory: {report.error}; old figures are used")
