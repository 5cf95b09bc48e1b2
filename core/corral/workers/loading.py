"""When a child that is not ready yet has taken too long."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.workers.state import State

if TYPE_CHECKING:
    from corral.workers.command import Deadlines


@dataclass(slots=True)
class LoadClock:
    """The times of one load, in seconds of the loop's clock: a stall runs out, and so does the patience with endless progress."""

    deadlines: Deadlines
    #: How far loading has come, from 0 to 1.
    progress: float = 0.0
    started_at: float = 0.0
    sign_at: float = 0.0

    def start(self, now: float) -> None:
        """Note that the child runs."""
        self.started_at = self.sign_at = now

    def sign(self, now: float) -> None:
        """Note that the child wrote something."""
        self.sign_at = now

    def advance(self, fraction: float, now: float) -> None:
        """Note progress; the same progress again is no sign of life, nor is what is no number (and never the same)."""
        if fraction != self.progress and not math.isnan(fraction):
            self.progress, self.sign_at = fraction, now

    def due(self, state: State) -> float:
        """Return when the child will have taken too long, unless it gives another sign of life."""
        silence_s = self.deadlines.start_s if state is State.STARTING else self.deadlines.stall_s
        return min(self.sign_at + silence_s, self.started_at + self.deadlines.load_s)
