"""How long a client wants a model to stay: Ollama's grammar of keep_alive."""

from __future__ import annotations

import math
import re

from corral.errors import InvalidInput

_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


def keep_alive_s(value: bool | float | str | None) -> float | None:
    """Return seconds, inf for ever, None for the server's choice; raise InvalidInput for what is no duration."""
    match value:
        case None:
            return None
        case bool():
            raise InvalidInput("Unsupported type: 'bool'")
        case str():
            return _from_text(value)
        case _:
            return math.inf if value < 0 else float(value)


def _from_text(text: str) -> float:
    try:
        # Ollama wants a unit here and takes a bare number in its environment; corral takes both in both places.
        return _signed(float(text))
    except ValueError:
        return _signed(_duration_s(text))


def _signed(seconds: float) -> float:
    if math.isnan(seconds):
        raise InvalidInput('time: invalid duration "nan"')
    return math.inf if seconds < 0 else seconds


def _duration_s(text: str) -> float:
    bare = text.removeprefix("-").removeprefix("+")
    parts = _PART.findall(bare)
    if not parts or "".join(number + unit for number, unit in parts) != bare:
        raise InvalidInput(f'time: invalid duration "{text}"')
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in parts)
    return -seconds if text.startswith("-") else seconds
