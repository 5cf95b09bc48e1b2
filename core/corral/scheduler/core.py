"""Decide which runners live and who gets them: events in, actions out, no clock, no tasks, no processes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

from corral.devices import Placement
from corral.errors import Busy, CorralError, LoadFailed
from corral.placement import Conditions, Shortage
from corral.scheduler.backoff import Backoff
from corral.scheduler.counters import Counters
from corral.scheduler.learning import Corrections
from corral.scheduler.state import Job, Phase, Slot, Step, Waiting
from corral.scheduler.suits import same_demand, why_reload
from corral.scheduler.words import (
    Asked,
    Closed,
    Expired,
    Failed,
    Gone,
    Grant,
    Left,
    MakePlan,
    Planned,
    Ready,
    Recover,
    Recovered,
    Refuse,
    Spawn,
    Stop,
    Ticked,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from corral.scheduler.words import Action, Event
    from corral.settings import Settings
    from corral.spec import ModelSpec

#: Models per GPU, or on a machine without one, when nobody set a limit.
_MODELS_PER_DEVICE = 3


class Core:
    """The scheduler's state machine. The same events at the same times give the same actions.

    Requests are served in the order they came, but for those that a ready runner can take at once. One model loads at a
    time; the load belongs to the model, not to the request that began it. A load that needs room takes it from idle
    runners, or waits for one busy runner that takes no new requests from then on, so nobody starves.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._waiting: dict[int, Waiting] = {}
        self._slots: dict[int, Slot] = {}
        self._job: Job | None = None
        self._last_load = 0
        self._gpu_count = 0
        self._closed = False
        self._backoff = Backoff()
        self._actions: list[Action] = []
        self.counters = Counters()
        self.corrections = Corrections()

    def handle(self, event: Event, now: float) -> list[Action]:
        """Take an event and return what is to be done about it, in order."""
        match event:
            case Asked():
                self._ask(event, now)
            case Left():
                self._leave(event, now)
            case Planned():
                self._take_plan(event)
            case Ready():
                self._take_ready(event, now)
            case Failed():
                self._take_failure(event, now)
            case Gone():
                self._take_gone(event, now)
            case Recovered():
                self._slots.pop(event.load, None)
            case Expired():
                self._expire(event.path)
            case Ticked():
                pass
            case Closed():
                self._close()
            case _:
                assert_never(event)
        self._advance(now)
        actions, self._actions = self._actions, []
        return actions

    def next_deadline(self) -> float:
        """Return when Ticked is due; inf when nothing waits for time to pass."""
        return min((slot.expires_at for slot in self._slots.values()), default=math.inf)

    def slots(self) -> list[Slot]:
        """Return the runners that load or are ready."""
        return [slot for slot in self._slots.values() if slot.phase in (Phase.LOADING, Phase.READY)]

    def slot(self, load: int) -> Slot:
        """Return one runner."""
        return self._slots[load]

    @property
    def waiting_count(self) -> int:
        """Return how many requests wait: for a runner, or inside a runner whose sequences are all in use."""
        inside = sum(max(0, len(s.active) - (s.info.slots if s.info else 1)) for s in self._slots.values())
        return len(self._waiting) + inside

    def statistics(self) -> Mapping[str, float]:
        """Return counters and gauges by Prometheus-style name."""
        return {
            **self.counters.values(),
            "corral_requests_waiting": self.waiting_count,
            "corral_requests_active": sum(len(slot.active) for slot in self.slots()),
            "corral_models_loaded": sum(slot.phase is Phase.READY for slot in self.slots()),
        }

    # Events

    def _ask(self, event: Asked, now: float) -> None:
        refusal = self._refusal(event.model, now)
        if refusal is not None:
            self.counters.refused += 1
            self._actions.append(Refuse(ticket=event.ticket, error=refusal))
            return
        self._waiting[event.ticket] = Waiting(ticket=event.ticket, model=event.model, keep_alive_s=event.keep_alive_s, since=now)

    def _refusal(self, model: ModelSpec, now: float) -> Busy | None:
        if self._closed:
            return Busy("corral is shutting down")
        # A limit of 0 still lets the request through that begins a load; nobody could ever be served otherwise.
        if self.waiting_count >= max(1, self._settings.max_queue) and self._free_slot(model) is None:
            message = f"server busy, please try again: {self.waiting_count} requests wait already (CORRAL_MAX_QUEUE)"
            return Busy(message, retry_after_s=self.counters.usual_wait_s)
        return self._backoff.refusal(model, now)

    def _free_slot(self, model: ModelSpec) -> Slot | None:
        slot = self._ready_slot(model)
        return slot if slot and slot.info and len(slot.active) < slot.info.slots else None

    def _leave(self, event: Left, now: float) -> None:
        if self._waiting.pop(event.ticket, None):
            self.counters.given_up += 1
        for slot in self._slots.values():
            if event.ticket in slot.active:
                slot.active.remove(event.ticket)
                slot.idle_since = now
                if not event.runner_failed and slot.phase is Phase.READY:
                    self._backoff.succeed(slot.model.path)
        if event.out_of_memory:
            # Nobody can say which of them has too much; all of them go when they are idle and are placed anew.
            for slot in self.slots():
                slot.retired = True

    def _take_plan(self, event: Planned) -> None:
        job = self._job
        if job is None or job.load != event.load or job.step is not Step.PLANNING:
            return
        self._gpu_count = event.gpu_count
        match event.outcome:
            case Placement():
                self._place(job, event.outcome)
            case Shortage():
                if not self._make_room(job):
                    self._give_up(job, event.outcome.error())
            case CorralError():
                self._give_up(job, event.outcome)
            case _:
                assert_never(event.outcome)

    def _place(self, job: Job, placement: Placement) -> None:
        limit = self._settings.max_loaded_models or _MODELS_PER_DEVICE * max(self._gpu_count, 1)
        if len(self._slots) >= limit and self._make_room(job):
            return
        if job.out_of_memory is not None and placement == job.failed_placement and not job.evicted:
            assert isinstance(job.out_of_memory, CorralError)
            self._give_up(job, job.out_of_memory)
            return
        keep_alive_s = self._settings.keep_alive_s if job.keep_alive_s is None else job.keep_alive_s
        job.step = Step.SPAWNED
        self._slots[job.load] = Slot(load=job.load, model=job.model, placement=placement, keep_alive_s=keep_alive_s, began=job.began)
        self._actions.append(Spawn(load=job.load, model=job.model, placement=placement))

    def _take_ready(self, event: Ready, now: float) -> None:
        slot = self._slots.get(event.load)
        if slot is None or slot.phase is not Phase.LOADING:
            return
        slot.phase, slot.info, slot.ready_at, slot.idle_since = Phase.READY, event.info, now, now
        self._job = None
        self.corrections.learn(slot.model, slot.placement, event.info)
        self.counters.count_load(now - slot.began)

    def _take_failure(self, event: Failed, now: float) -> None:
        slot = self._slots.get(event.load)
        if slot is None:
            return
        was_loading = slot.phase is Phase.LOADING
        self._bury(slot)
        job = self._job
        if not was_loading or job is None or job.load != event.load:
            return
        self.counters.failures += 1
        if isinstance(event.error, LoadFailed) and event.error.out_of_memory and not job.reduced:
            self._try_reduced(job, slot, event.error)
        else:
            self._backoff.fail(job.model.path, str(event.error), now)
            self._give_up(job, event.error)

    def _try_reduced(self, job: Job, slot: Slot, error: LoadFailed) -> None:
        self._last_load += 1
        self._job = Job(
            load=self._last_load,
            model=job.model,
            began=job.began,
            victims={other.load for other in self.slots()},
            reduced=True,
            failed_placement=slot.placement,
            out_of_memory=error,
            keep_alive_s=job.keep_alive_s,
        )

    def _take_gone(self, event: Gone, now: float) -> None:
        slot = self._slots.get(event.load)
        if slot is None or slot.phase is Phase.RECOVERING:
            return
        if slot.phase is Phase.READY:
            self.counters.crashes += 1
            self._backoff.fail(slot.model.path, event.reason or "the runner stopped", now)
        if self._job and self._job.load == event.load:
            error = LoadFailed(f"the runner of '{slot.model.name}' went away while it loaded: {event.reason or 'no reason given'}")
            self._give_up(self._job, error)
        self._bury(slot)

    def _bury(self, slot: Slot) -> None:
        slot.active.clear()
        if self._closed or not slot.lags:
            del self._slots[slot.load]
            return
        slot.phase = Phase.RECOVERING
        self._actions.append(Recover(load=slot.load, placement=slot.placement))

    def _expire(self, path: Path) -> None:
        if self._job and self._job.model.path == path:
            self._job.keep_alive_s = 0.0
        for slot in self.slots():
            if slot.model.path == path:
                slot.keep_alive_s = 0.0

    def _close(self) -> None:
        self._closed = True
        self._job = None
        for ticket in list(self._waiting):
            self._refuse(ticket, Busy("corral is shutting down"))
        for slot in self.slots():
            self._stop(slot)

    # What follows from the state

    def _advance(self, now: float) -> None:
        self._grant_all(now)
        self._stop_expired(now)
        if self._closed:
            return
        if self._job is None:
            self._begin(now)
        if self._job is not None:
            self._push(self._job, now)

    def _grant_all(self, now: float) -> None:
        for waiting in list(self._waiting.values()):
            slot = self._ready_slot(waiting.model)
            if slot is not None:
                self._grant(waiting, slot, now)

    def _ready_slot(self, model: ModelSpec) -> Slot | None:
        doomed = self._job.victims if self._job else set()
        for slot in self._slots.values():
            if slot.phase is not Phase.READY or slot.retired or slot.load in doomed or slot.model.path != model.path:
                continue
            if not why_reload(model, slot.model, slot.placement):
                return slot
        return None

    def _grant(self, waiting: Waiting, slot: Slot, now: float) -> None:
        del self._waiting[waiting.ticket]
        slot.active.add(waiting.ticket)
        if waiting.keep_alive_s is not None:
            slot.keep_alive_s = waiting.keep_alive_s
        load_s = max(0.0, min(slot.ready_at, now) - max(slot.began, waiting.since))
        self._actions.append(Grant(ticket=waiting.ticket, load=slot.load, queue_s=max(0.0, now - waiting.since - load_s), load_s=load_s))

    def _stop_expired(self, now: float) -> None:
        for slot in self.slots():
            if slot.expires_at <= now:
                self._stop(slot)

    def _stop(self, slot: Slot) -> None:
        slot.phase = Phase.STOPPING
        self._actions.append(Stop(load=slot.load))

    def _begin(self, now: float) -> None:
        """Begin a load for the request that has waited longest; refuse those whose model is left alone."""
        while self._waiting:
            head = next(iter(self._waiting.values()))
            refusal = self._backoff.refusal(head.model, now)
            if refusal is None:
                self._last_load += 1
                same = {slot.load for slot in self.slots() if slot.model.path == head.model.path}
                self._job = Job(load=self._last_load, model=head.model, began=now, victims=same)
                return
            self._refuse(head.ticket, refusal)

    def _push(self, job: Job, now: float) -> None:
        if not self._is_wanted(job):
            self._abandon(job, now)
        elif job.step is Step.CLEARING and self._is_clear(job):
            job.step = Step.PLANNING
            self._actions.append(MakePlan(load=job.load, model=job.model, conditions=self._conditions(job)))

    def _is_wanted(self, job: Job) -> bool:
        """Return whether anybody still waits for this load; before it is spawned it follows the oldest request."""
        same_path = [w for w in self._waiting.values() if w.model.path == job.model.path]
        if job.step is Step.SPAWNED:
            slot = self._slots[job.load]
            return any(not why_reload(w.model, slot.model, slot.placement) for w in same_path)
        return any(same_demand(w.model, job.model) for w in same_path)

    def _abandon(self, job: Job, now: float) -> None:
        self._job = None
        if job.step is Step.SPAWNED:
            self._stop(self._slots[job.load])
        # Its victims take requests again, and another load may begin.
        self._advance(now)

    def _is_clear(self, job: Job) -> bool:
        """Send away the victims that are idle; return whether nobody has to go, or is on the way, any longer."""
        self._swap_busy_victim(job)
        for slot in self.slots():
            if slot.load in job.victims and slot.is_idle:
                job.evicted += 1
                self.counters.evictions += 1
                self._stop(slot)
        return not any(s.load in job.victims or s.phase in (Phase.STOPPING, Phase.RECOVERING) for s in self._slots.values())

    def _swap_busy_victim(self, job: Job) -> None:
        idle = [slot for slot in self.slots() if slot.is_idle]
        if job.any_victim and idle and all(slot.active for slot in self._slots.values() if slot.load in job.victims):
            job.victims = {min(idle, key=_eviction_order).load}

    def _make_room(self, job: Job) -> bool:
        """Choose who must go next; return False when nobody is left."""
        others = [slot for slot in self.slots() if slot.load != job.load]
        if not others:
            return False
        job.victims = {min(others, key=_eviction_order).load}
        job.any_victim = True
        job.step = Step.CLEARING
        return True

    def _conditions(self, job: Job) -> Conditions:
        taken: dict[tuple[str, str], int] = {}
        for slot in self.slots():
            for key, size in slot.taken().items():
                taken[key] = taken.get(key, 0) + size
        return Conditions(whole=bool(self.slots()), reduced=job.reduced, taken=taken, corrections=self.corrections.of(job.model))

    def _give_up(self, job: Job, error: CorralError) -> None:
        self._job = None
        for waiting in list(self._waiting.values()):
            if same_demand(waiting.model, job.model):
                self._refuse(waiting.ticket, error)

    def _refuse(self, ticket: int, error: CorralError) -> None:
        del self._waiting[ticket]
        self.counters.refused += 1
        self._actions.append(Refuse(ticket=ticket, error=error))


def _eviction_order(slot: Slot) -> tuple[bool, float, float]:
    """Idle ones first, then the shortest keep-alive, then the one that was used longest ago."""
    return (bool(slot.active), slot.keep_alive_s, slot.idle_since)
