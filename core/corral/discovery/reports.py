"""Who is asked for devices, and what an answer looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.devices import Absent, Device
    from corral.settings import Settings


class Report(Protocol):
    """What one plugin found; `error` says why it could not look, and is empty when it could."""

    @property
    def plugin(self) -> str:
        """Return the plugin's name."""

    @property
    def devices(self) -> Sequence[Device]:
        """Return the devices it sees."""

    @property
    def absent(self) -> Sequence[Absent]:
        """Return why it sees nothing of a backend."""

    @property
    def error(self) -> str:
        """Return why it could not look."""

    @property
    def quick(self) -> bool:
        """Return whether it may be asked every second."""


class DeviceHost(Protocol):
    """Asks the plugins, all at once, and blocks for `settings.probe_timeout_s` at most."""

    def discover_devices(self, settings: Settings, *, quick: bool = False) -> Sequence[Report]:
        """Return the report of each plugin that has devices, or of the quick ones only."""
