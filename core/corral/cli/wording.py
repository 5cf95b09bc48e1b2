"""Numbers and times in the words people use, as Ollama's tables have them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_UNITS = ("B", "KB", "MB", "GB", "TB")
_FOR_EVER_S = 20 * 365 * 86400
#: Up to how many seconds a unit is used, its length in seconds, and its name.
_SPANS = (
    (3600, 60, "minutes"),
    (48 * 3600, 3600, "hours"),
    (14 * 86400, 86400, "days"),
    (60 * 86400, 7 * 86400, "weeks"),
    (2 * 365 * 86400, 30 * 86400, "months"),
    (math.inf, 365 * 86400, "years"),
)


def size(count: int) -> str:
    """Return bytes in decimal units: `42 GB`, `9.6 GB`, `1 KB`."""
    power = next((power for power in range(len(_UNITS)) if count < 1000 ** (power + 1)), len(_UNITS) - 1)
    value = count / 1000**power
    number = f"{int(value)}" if value >= 10 or value == int(value) else f"{value:.1f}"
    return f"{number} {_UNITS[power]}"


def memory(count: int | None) -> str:
    """Return bytes in binary units, as memory is counted; `-` when nobody could say."""
    if count is None:
        return "-"
    if count < 1024**3:
        return f"{count / 1024**2:.0f} MiB"
    return f"{count / 1024**3:.1f} GiB"


def span(seconds: float) -> str:
    """Return a length of time in one unit."""
    if seconds < 1:
        return "Less than a second"
    if seconds < 60:
        return f"{int(seconds)} second{'s' if int(seconds) > 1 else ''}"
    if seconds < 120:
        return "About a minute"
    if 3600 <= seconds < 7200:
        return "About an hour"
    length, name = next((length, name) for limit, length, name in _SPANS if seconds < limit)
    return f"{int(seconds / length)} {name}"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago something was."""
    return f"{span(((now or datetime.now(UTC)) - moment).total_seconds())} ago"


def until(moment: datetime, now: datetime | None = None) -> str:
    """Return how long from now something will be."""
    left = (moment - (now or datetime.now(UTC))).total_seconds()
    if left > _FOR_EVER_S:
        return "Forever"
    return "Stopping..." if left <= 0 else f"{span(left)} from now"


def processor(total: int, on_devices: int) -> str:
    """Return how a model is split between the CPU and other devices."""
    if on_devices == 0:
        return "100% CPU"
    if total == 0 or on_devices > total:
        return "Unknown"
    if on_devices == total:
        return "100% GPU"
    cpu = round((total - on_devices) / total * 100)
    return f"{cpu}%/{100 - cpu}% CPU/GPU"


def duration(seconds: float) -> str:
    """Return a measured time as Go prints one: `1.234s`, `12.3ms`, `1m2.5s`."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.4g}µs"
    if seconds < 1:
        return f"{seconds * 1e3:.6g}ms"
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{rest:.3f}s" if minutes else f"{rest:.6g}s"
