"""How a load gets its room: whether anybody still wants it, and who goes for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.placement import Conditions
from corral.scheduler.roster import eviction_order
from corral.scheduler.state import Step
from corral.scheduler.suits import same_demand, why_reload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral.scheduler.roster import Roster
    from corral.scheduler.state import Job


def is_wanted(job: Job, roster: Roster) -> bool:
    """Return whether a request waits that this load would serve."""
    waiting = [w for w in roster.waiting.values() if w.model.path == job.model.path]
    if job.step is not Step.SPAWNED:
        return any(same_demand(w.model, job.model) for w in waiting)
    slot = roster.slots[job.load]
    return any(not why_reload(w.model, slot.model, slot.placement) for w in waiting)


def send_away(job: Job, roster: Roster) -> int:
    """Stop the victims that are idle and return how many. While the chosen one is busy, another idle one may go instead."""
    idle = [slot for slot in roster.alive if slot.is_idle]
    victims = [slot for slot in roster.slots.values() if slot.load in job.victims]
    if job.any_victim and idle and victims and all(slot.active for slot in victims):
        job.victims = {min(idle, key=eviction_order).load}
    leaving = [slot for slot in idle if slot.load in job.victims]
    for slot in leaving:
        roster.stop(slot)
    job.evicted += len(leaving)
    return len(leaving)


def is_clear(job: Job, roster: Roster) -> bool:
    """Return whether all victims are gone, and the memory of everybody who went is back."""
    return roster.is_settled and not job.victims & roster.slots.keys()


def make_room(job: Job, roster: Roster) -> bool:
    """Choose who must go next; return False when nobody is left."""
    if not roster.alive:
        return False
    job.victims = {min(roster.alive, key=eviction_order).load}
    job.any_victim = True
    job.step = Step.CLEARING
    return True


def conditions(job: Job, roster: Roster, corrections: Mapping[str, int]) -> Conditions:
    """Return what a plan must reckon with."""
    return Conditions(whole=job.had_company, reduced=job.reduced, taken=roster.taken(), corrections=corrections)
