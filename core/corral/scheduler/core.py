"""Decide which runners live and who gets them: events in, actions out; no clock, no tasks, no processes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

from corral.devices import Placement
from corral.errors import Busy, CorralError, LoadFailed
from corral.placement import Shortage, as_placed
from corral.scheduler import words
from corral.scheduler.backoff import Backoff
from corral.scheduler.clearing import conditions, is_clear, is_wanted, make_room, send_away
from corral.scheduler.counters import Counters
from corral.scheduler.learning import Corrections
from corral.scheduler.roster import Roster
from corral.scheduler.showing import statistics
from corral.scheduler.state import Job, Phase, Slot, Step, Waiting
from corral.scheduler.suits import same_demand, same_try

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
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
        self._roster = Roster()
        self._job: Job | None = None
        self._last_load = 0
        self._gpu_count = 0
        self._is_closed = False
        self._backoff = Backoff()
        self._counters = Counters()
        self._corrections = Corrections()

    def handle(self, event: Event, now: float) -> list[Action]:
        """Take an event and return what is to be done about it, in order."""
        match event:
            case words.Asked():
                self._ask(event, now)
            case words.Left():
                self._leave(event, now)
            case words.Planned():
                self._take_plan(event)
            case words.Ready():
                self._take_ready(event, now)
            case words.Failed():
                self._take_failure(event, now)
            case words.Gone():
                self._take_gone(event, now)
            case words.Recovered():
                self._roster.slots.pop(event.load, None)
            case words.Expired():
                self._expire(event.path)
            case words.Ticked():
                # Nothing but the time has changed.
                ...
            case words.Closed():
                self._close()
            case _:
                assert_never(event)
        self._advance(now)
        actions, self._roster.actions = self._roster.actions, []
        return actions

    def next_deadline(self) -> float:
        """Return when Ticked is due; inf when nothing waits for time to pass."""
        return min((slot.expires_at for slot in self._roster.alive), default=math.inf)

    def slots(self) -> list[Slot]:
        """Return the runners that load or are ready."""
        return self._roster.alive

    def slot(self, load: int) -> Slot:
        """Return one runner."""
        return self._roster.slots[load]

    def statistics(self) -> Mapping[str, float]:
        """Return counters and gauges by Prometheus-style name."""
        return statistics(self._counters, self._roster)

    # What is heard

    def _ask(self, event: words.Asked, now: float) -> None:
        self._roster.waiting[event.ticket] = Waiting(ticket=event.ticket, model=event.model, keep_alive_s=event.keep_alive_s, since=now)
        refusal = self._refusal(event.model, now)
        if refusal is not None:
            self._refuse(event.ticket, refusal)

    def _refusal(self, model: ModelSpec, now: float) -> Busy | None:
        if self._is_closed:
            return Busy("corral is shutting down")
        others = self._roster.waiting_count - 1
        slot = self._roster.ready_slot(model, self._doomed)
        has_free_slot = slot is not None and len(slot.active) < slot.capacity
        # With a limit of 0 the request that begins a load may still wait for it; nobody could ever be served otherwise.
        if others >= max(1, self._settings.max_queue) and not has_free_slot:
            message = f"server busy, please try again: {others} requests wait already (CORRAL_MAX_QUEUE)"
            return Busy(message, retry_after_s=self._counters.usual_wait_s)
        return None if slot else self._backoff.refusal(model, now)

    def _leave(self, event: words.Left, now: float) -> None:
        if self._roster.waiting.pop(event.ticket, None):
            self._counters.given_up += 1
        slot = self._roster.release(event.ticket, now)
        if slot is not None and event.error is None:
            self._backoff.succeed(slot.model.path)
        elif slot is not None and not slot.retired:
            # The request may hear of the death before whoever watches the process does.
            slot.retired = True
            self._count_crash(slot, str(event.error), now)
        if event.error and event.error.out_of_memory:
            # Nobody can say which of them has too much; all of them go when they are idle, and are placed anew.
            for other in self._roster.alive:
                other.retired = True

    def _count_crash(self, slot: Slot, reason: str, now: float) -> None:
        self._counters.crashes += 1
        self._backoff.fail(slot.model.path, reason, now)

    def _take_plan(self, event: words.Planned) -> None:
        job = self._job
        if job is None or job.load != event.load or job.step is not Step.PLANNING:
            return
        self._gpu_count = event.gpu_count
        match event.outcome:
            case Placement():
                self._place(job, event.outcome)
            case Shortage():
                self._take_shortage(job, event.outcome)
            case CorralError():
                self._give_up(job, event.outcome)
            case _:
                assert_never(event.outcome)

    def _take_shortage(self, job: Job, shortage: Shortage) -> None:
        if shortage.is_hopeless:
            self._give_up(job, shortage.error())
        elif not make_room(job, self._roster):
            if job.had_company:
                # Those that stood in the way when the plan was made have gone by themselves.
                job.step = Step.CLEARING
            else:
                self._give_up(job, shortage.error())

    def _take_ready(self, event: words.Ready, now: float) -> None:
        slot = self._roster.slots.get(event.load)
        if slot is None or slot.phase is not Phase.LOADING:
            return
        slot.phase, slot.info, slot.ready_at, slot.idle_since = Phase.READY, event.info, now, now
        self._job = None
        self._corrections.learn(slot.model, slot.placement, event.info)
        self._counters.count_load(now - slot.began)

    def _take_failure(self, event: words.Failed, now: float) -> None:
        slot, job = self._roster.slots.get(event.load), self._job
        if slot is None or slot.phase is Phase.RECOVERING:
            return
        was_loading = slot.phase is Phase.LOADING
        self._bury(slot)
        if not was_loading or job is None:
            return
        self._counters.failures += 1
        if isinstance(event.error, LoadFailed) and event.error.out_of_memory and not job.reduced:
            self._try_reduced(job, slot.placement, event.error)
        else:
            self._backoff.fail(job.model.path, str(event.error), now)
            self._give_up(job, event.error)

    def _take_gone(self, event: words.Gone, now: float) -> None:
        slot = self._roster.slots.get(event.load)
        if slot is None or slot.phase is Phase.RECOVERING:
            return
        reason = event.reason or "it stopped by itself"
        if slot.phase in (Phase.LOADING, Phase.READY) and not slot.retired:
            self._count_crash(slot, reason, now)
        if slot.phase is Phase.LOADING and self._job:
            self._give_up(self._job, LoadFailed(f"the runner of '{slot.model.name}' went away while it loaded: {reason}"))
        self._bury(slot)

    def _expire(self, path: Path) -> None:
        if self._job and self._job.model.path == path:
            self._job.keep_alive_s = 0.0
        self._roster.expire(path)

    def _close(self) -> None:
        self._is_closed = True
        self._job = None
        for ticket in list(self._roster.waiting):
            self._refuse(ticket, Busy("corral is shutting down"))
        for slot in self._roster.alive:
            self._roster.stop(slot)

    # What follows from it

    def _advance(self, now: float) -> None:
        self._roster.grant_all(now, self._doomed)
        self._roster.stop_expired(now)
        while not self._is_closed:
            if self._job is None:
                self._job = self._next_job(now)
            if self._job is None or self._push(self._job):
                return
            # Nobody wants that load any longer: its victims take requests again, and another one may begin.
            self._job = None
            self._roster.grant_all(now, self._doomed)

    @property
    def _doomed(self) -> Collection[int]:
        return self._job.victims if self._job else ()

    def _next_job(self, now: float) -> Job | None:
        """Return a load for the request that has waited longest; refuse those whose model is left alone for now."""
        while self._roster.waiting:
            head = next(iter(self._roster.waiting.values()))
            refusal = self._backoff.refusal(head.model, now)
            if refusal is None:
                same = {slot.load for slot in self._roster.alive if slot.model.path == head.model.path}
                return Job(load=self._new_load(), model=head.model, began=now, victims=same)
            self._refuse(head.ticket, refusal)
        return None

    def _new_load(self) -> int:
        self._last_load += 1
        return self._last_load

    def _push(self, job: Job) -> bool:
        """Take a load as far as it goes now; return False when nobody wants it any longer."""
        if not is_wanted(job, self._roster):
            if job.step is Step.SPAWNED:
                self._roster.stop(self._roster.slots[job.load])
            return False
        if job.step is Step.CLEARING:
            self._counters.evictions += send_away(job, self._roster)
            if is_clear(job, self._roster):
                self._order_plan(job)
        return True

    def _order_plan(self, job: Job) -> None:
        job.step = Step.PLANNING
        job.had_company = bool(self._roster.alive)
        known = conditions(job, self._roster, self._corrections.of(job.model))
        self._roster.actions.append(words.MakePlan(load=job.load, model=job.model, conditions=known))

    def _place(self, job: Job, placement: Placement) -> None:
        limit = self._settings.max_loaded_models or _MODELS_PER_DEVICE * max(self._gpu_count, 1)
        if len(self._roster.slots) >= limit and make_room(job, self._roster):
            return
        if job.out_of_memory and same_try(placement, job.failed_placement) and not job.evicted:
            # Nothing was automatic and nobody had to go: it would run out of memory in the same way.
            self._give_up(job, job.out_of_memory)
            return
        keep_alive_s = self._settings.keep_alive_s if job.keep_alive_s is None else job.keep_alive_s
        job.step = Step.SPAWNED
        self._roster.slots[job.load] = Slot(load=job.load, model=job.model, placement=placement, keep_alive_s=keep_alive_s, began=job.began)
        self._roster.actions.append(words.Spawn(load=job.load, model=as_placed(job.model, placement), placement=placement))

    def _try_reduced(self, job: Job, placement: Placement, error: LoadFailed) -> None:
        """Try once more: with the smallest automatic values, and everybody else gone."""
        self._job = Job(
            load=self._new_load(),
            model=job.model,
            began=job.began,
            victims={slot.load for slot in self._roster.alive},
            reduced=True,
            failed_placement=placement,
            out_of_memory=error,
            keep_alive_s=job.keep_alive_s,
        )

    def _give_up(self, job: Job, error: CorralError) -> None:
        """Tell everybody who waits for this load."""
        self._job = None
        for waiting in list(self._roster.waiting.values()):
            if same_demand(waiting.model, job.model):
                self._refuse(waiting.ticket, error)

    def _refuse(self, ticket: int, error: CorralError) -> None:
        self._counters.refused += 1
        self._roster.refuse(ticket, error)

    def _bury(self, slot: Slot) -> None:
        self._roster.bury(slot, recover=not self._is_closed)
