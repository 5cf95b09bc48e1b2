"""When a child that was given work has not got on with it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(slots=True)
class WorkClock:
    """The times of a child's work, in seconds of the loop's clock: it stalls when somebody waits and nothing shows that it works."""

    limit_s: float
    sign_at: float = -math.inf
    #: When each piece of work that is not done yet was given, the oldest first.
    _given: dict[int, float] = field(default_factory=dict)

    def give(self, work: int, now: float) -> None:
        """Note that somebody waits for a piece of work."""
        self._given[work] = now

    def settle(self, work: int) -> None:
        """Note that a piece of work is done, or that nobody waits for it any longer; it can be said twice."""
        self._given.pop(work, None)

    def sign(self, now: float) -> None:
        """Note that the child works."""
        self.sign_at = now

    def due(self) -> float:
        """Return when the child will have stalled, unless it shows that it works; inf while nobody waits."""
        oldest = next(iter(self._given.values()), math.inf)
        return max(self.sign_at, oldest) + self.limit_s
