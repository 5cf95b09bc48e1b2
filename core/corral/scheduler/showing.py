"""Show runners as `ps` does, and count them for metrics."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from corral.api import RunningModel
from corral.scheduler.state import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from corral.devices import Placement
    from corral.scheduler.counters import Counters
    from corral.scheduler.roster import Roster
    from corral.scheduler.state import Slot

#: Longer than anybody waits, and well inside what a datetime can hold.
_FOREVER_S = 100 * 365 * 86_400.0


def show(slot: Slot, now: float, today: datetime) -> RunningModel:
    """Return a snapshot of a runner; `now` is the scheduler's clock, `today` the one on the wall."""
    taken = slot.taken()
    return RunningModel(
        model=slot.model,
        placement=slot.placement,
        total_bytes=sum(taken.values()),
        device_bytes=sum(taken[share.device.key] for share in slot.placement.shares),
        context_tokens=slot.info.context_tokens if slot.info else slot.placement.context_tokens,
        expires_at=_expiry(slot, now, today),
        active=len(slot.active),
        pid=slot.info.pid if slot.info else 0,
    )


def _expiry(slot: Slot, now: float, today: datetime) -> datetime | None:
    left_s = slot.keep_alive_s if math.isinf(slot.expires_at) else max(0.0, slot.expires_at - now)
    return None if left_s > _FOREVER_S else today + timedelta(seconds=left_s)


def statistics(counters: Counters, roster: Roster) -> Mapping[str, float]:
    """Return totals and gauges by Prometheus-style name."""
    alive = roster.alive
    return {
        **counters.values(),
        "corral_requests_waiting": roster.waiting_count,
        "corral_requests_active": sum(len(slot.active) for slot in alive),
        "corral_models_loaded": sum(slot.phase is Phase.READY for slot in alive),
        "corral_memory_estimated_bytes": sum(_estimate(slot.placement) for slot in alive),
        "corral_memory_bytes": sum(roster.taken().values()),
    }


def _estimate(placement: Placement) -> int:
    return placement.host_bytes + placement.parking_bytes + placement.device_bytes
