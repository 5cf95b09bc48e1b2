"""Notice an answer that goes round in circles, so that it ends although nobody gave it a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Tokens that must be one run over and over, and the longest such run. A person has seen enough by then.
SPAN = 1024
LONGEST_CYCLE = 128
#: Tokens between two looks.
STRIDE = 64


def is_cycle(tokens: Sequence[int]) -> bool:
    """Return whether the last `SPAN` tokens are one short run, again and again."""
    tail = tokens[-SPAN:]
    if len(tail) < SPAN:
        return False
    periods = (period for period in range(1, LONGEST_CYCLE + 1) if tail[-1 - period] == tail[-1])
    return any(tail[period:] == tail[:-period] for period in periods)
