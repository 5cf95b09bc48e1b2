"""How a model's vectors are handed out: normalised, shortened, packed."""

from __future__ import annotations

import base64
import math
import struct
from typing import TYPE_CHECKING

from corral.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence


def normalised(vector: Sequence[float]) -> list[float]:
    """Return a vector of length 1; a zero vector stays as it is."""
    length = math.hypot(*vector)
    if not math.isfinite(length):
        raise InvalidInput("embedding contains NaN or Inf values")
    return [x / length for x in vector] if length else list(vector)


def shortened(vector: Sequence[float], dimensions: int) -> list[float]:
    """Return the first dimensions of a vector, normalised; 0 or too many mean all of them."""
    return normalised(vector[:dimensions] if 0 < dimensions < len(vector) else vector)


def packed(vector: Sequence[float]) -> str:
    """Return a vector as base64 of little-endian 32-bit floats."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
