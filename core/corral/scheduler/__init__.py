"""Which runners are alive, lent to whom, and when they are retired."""

from __future__ import annotations

from corral.scheduler.clock import Clock, SystemClock
from corral.scheduler.lease import Lease
from corral.scheduler.scheduler import Scheduler

__all__ = ["Clock", "Lease", "Scheduler", "SystemClock"]
