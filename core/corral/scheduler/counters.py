"""What the scheduler counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Totals since the scheduler was made."""

    loads: int = 0
    load_s: float = 0.0
    failures: int = 0
    crashes: int = 0
    evictions: int = 0
    refused: int = 0
    given_up: int = 0

    def count_load(self, seconds: float) -> None:
        """Count a load that became ready."""
        self.loads += 1
        self.load_s += seconds

    @property
    def usual_wait_s(self) -> float:
        """Return how long a load usually takes; a guess of when to come back."""
        return max(1.0, self.load_s / self.loads) if self.loads else 1.0

    def values(self) -> dict[str, float]:
        """Return the totals by Prometheus-style name."""
        return {
            "corral_loads_total": self.loads,
            "corral_load_seconds_total": self.load_s,
            "corral_load_failures_total": self.failures,
            "corral_runner_crashes_total": self.crashes,
            "corral_evictions_total": self.evictions,
            "corral_requests_refused_total": self.refused,
            "corral_requests_given_up_total": self.given_up,
        }
