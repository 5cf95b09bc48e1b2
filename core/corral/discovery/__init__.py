"""Which devices there are, what they can do and how much memory they have now."""

from __future__ import annotations

from corral.discovery.discovery import Discovery, LiveMemory
from corral.discovery.live import LiveRunners
from corral.discovery.reports import DeviceHost, Report
from corral.discovery.watching import watch

__all__ = ["DeviceHost", "Discovery", "LiveMemory", "LiveRunners", "Report", "watch"]
