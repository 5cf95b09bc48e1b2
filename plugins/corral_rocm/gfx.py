"""Names of AMD's instruction sets (gfx1100), from the numbers that the kernel and people write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OVERRIDE = "HSA_OVERRIDE_GFX_VERSION"

_PARTS = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{1,2})")
_NAME = re.compile(r"gfx[0-9a-f]{3,5}")
#: Each part of an override is one digit of the name, the last two of them hexadecimal.
_MAX_PART = 15


def from_version(version: int) -> str:
    """Return the name for the kernel's number: 110003 is gfx1103, 90010 is gfx90a; empty for 0."""
    return f"gfx{version // 10000}{version // 100 % 100:x}{version % 100:x}" if version > 0 else ""


def from_override(text: str) -> str:
    """Return the name that an override such as 10.3.0 stands for; empty when it is malformed, and then ROCm ignores it."""
    if _NAME.fullmatch(text):
        return text
    found = _PARTS.fullmatch(text)
    parts = [int(part) for part in found.groups()] if found else []
    if not parts or max(parts) > _MAX_PART:
        return ""
    return f"gfx{parts[0]}{parts[1]:x}{parts[2]:x}"


def override_for(index: int, environment: Mapping[str, str]) -> str | None:
    """Return the override that holds for a device: its own, or the one for all; None when there is none."""
    return environment.get(f"{OVERRIDE}_{index}") or environment.get(OVERRIDE) or None
