"""Ask plugins for devices, each in a thread of its own and none for longer than the deadline."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

from corral.devices import Absent, Device
from corral.errors import CorralError, PluginError
from corral.plugins.report import DeviceReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral.plugins.calls import Call
    from corral.settings import Settings


def discover(calls: Mapping[str, Call], settings: Settings) -> list[DeviceReport]:
    """Return what each plugin found, in the order of the calls; one that fails or is late costs only itself."""
    answers: queue.SimpleQueue[DeviceReport] = queue.SimpleQueue()
    for name, call in calls.items():
        # A daemon: a driver that hangs in C can't be interrupted, and must not keep the server from ending.
        threading.Thread(target=_ask, args=(name, call, settings, answers), name=f"discover-{name}", daemon=True).start()
    arrived = _collect(answers, len(calls), settings.probe_timeout_s)
    late = f"no answer within {settings.probe_timeout_s:g} s"
    return [arrived.get(name) or DeviceReport(plugin=name, error=late) for name in calls]


def _collect(answers: queue.SimpleQueue[DeviceReport], expected: int, timeout_s: float) -> dict[str, DeviceReport]:
    arrived: dict[str, DeviceReport] = {}
    deadline = time.monotonic() + timeout_s
    while len(arrived) < expected and (left := deadline - time.monotonic()) > 0:
        try:
            report = answers.get(timeout=left)
        except queue.Empty:
            break
        arrived[report.plugin] = report
    return arrived


def _ask(name: str, call: Call, settings: Settings, answers: queue.SimpleQueue[DeviceReport]) -> None:
    try:
        found = _found(call(settings=settings))
        devices = tuple(thing for thing in found if isinstance(thing, Device))
        absent = tuple(thing for thing in found if isinstance(thing, Absent))
        answers.put(DeviceReport(plugin=name, devices=devices, absent=absent))
    except CorralError as error:
        answers.put(DeviceReport(plugin=name, error=str(error)))


def _found(results: list[object]) -> list[Device | Absent]:
    found: list[Device | Absent] = []
    for result in results:
        if not isinstance(result, list | tuple) or not all(isinstance(thing, Device | Absent) for thing in result):
            raise PluginError(f"discover_devices returned {type(result).__name__}, not a list of Device")
        found.extend(result)
    return found
