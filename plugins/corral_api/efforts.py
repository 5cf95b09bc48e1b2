"""How much thinking a word of OpenAI's or Anthropic's asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral.conversation import Think

_EFFORTS: Mapping[str, Think] = {
    "": None,
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "max",
    "ultra": "max",
    "max": "max",
}


def think_of_effort(effort: str) -> Think:
    """Return the think value of an effort; empty leaves the choice to the model."""
    if effort not in _EFFORTS:
        choices = ", ".join(f'"{name}"' for name in _EFFORTS if name)
        raise InvalidInput(f'invalid reasoning value: "{effort}" (must be one of {choices})')
    return _EFFORTS[effort]
