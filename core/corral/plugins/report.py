"""What loading found: one report for each plugin, broken ones included."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral.devices import Absent, Device


class Status(Enum):
    """How loading a plugin went."""

    OK = "ok"
    BROKEN = "broken"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginReport:
    """How one plugin was loaded, and what it offers."""

    name: str
    distribution: str
    version: str
    location: str
    status: Status
    #: Why it is broken or disabled; empty when it is neither.
    reason: str = ""
    #: Offered names by kind: renderer, parser, runner, api, source, device.
    offers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hooks: tuple[str, ...] = ()
    load_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
    """What one plugin discovered; `error` says why it could not look, and is empty when it could."""

    plugin: str
    devices: tuple[Device, ...] = ()
    #: Why there is nothing of a backend.
    absent: tuple[Absent, ...] = ()
    error: str = ""
    #: Whether the plugin may be asked every second.
    quick: bool = False


@dataclass(slots=True)
class HookTimes:
    """How often a hook was called through the host, how long that took in all, and how often it failed."""

    calls: int = 0
    failures: int = 0
    seconds: float = 0.0
