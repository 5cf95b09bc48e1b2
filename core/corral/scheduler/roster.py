"""Who waits and which runners there are, and the simple things that happen to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.scheduler.state import Phase, Slot, Waiting
from corral.scheduler.suits import why_reload
from corral.scheduler.words import Grant, Recover, Refuse, Stop

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from corral.errors import CorralError
    from corral.scheduler.words import Action
    from corral.spec import ModelSpec


class Roster:
    """Requests in the order they came, and runners; `actions` collects what is to be done."""

    def __init__(self) -> None:
        self.waiting: dict[int, Waiting] = {}
        self.slots: dict[int, Slot] = {}
        self.actions: list[Action] = []

    @property
    def alive(self) -> list[Slot]:
        """Return the runners that load or are ready."""
        return [slot for slot in self.slots.values() if slot.phase in (Phase.LOADING, Phase.READY)]

    @property
    def is_settled(self) -> bool:
        """Return whether no runner is on its way out, and all memory of former ones is back."""
        return all(slot.phase in (Phase.LOADING, Phase.READY) for slot in self.slots.values())

    @property
    def waiting_count(self) -> int:
        """Return how many requests wait: for a runner, or inside a runner whose sequences are all in use."""
        inside = sum(max(0, len(slot.active) - slot.capacity) for slot in self.alive)
        return len(self.waiting) + inside

    def taken(self) -> dict[tuple[str, str], int]:
        """Return the bytes that runners take, by device."""
        taken: dict[tuple[str, str], int] = {}
        for slot in self.alive:
            for key, size in slot.taken().items():
                taken[key] = taken.get(key, 0) + size
        return taken

    def ready_slot(self, model: ModelSpec, doomed: Collection[int]) -> Slot | None:
        """Return a runner that serves a model as it is and is not about to go."""
        for slot in self.slots.values():
            if slot.phase is not Phase.READY or slot.retired or slot.load in doomed or slot.model.path != model.path:
                continue
            if not why_reload(model, slot.model, slot.placement):
                return slot
        return None

    def grant_all(self, now: float, doomed: Collection[int]) -> None:
        """Give a runner to every request that one is ready for."""
        for waiting in list(self.waiting.values()):
            slot = self.ready_slot(waiting.model, doomed)
            if slot is not None:
                self._grant(waiting, slot, now)

    def _grant(self, waiting: Waiting, slot: Slot, now: float) -> None:
        del self.waiting[waiting.ticket]
        slot.active.add(waiting.ticket)
        if waiting.keep_alive_s is not None:
            slot.keep_alive_s = waiting.keep_alive_s
        load_s = max(0.0, slot.ready_at - max(slot.began, waiting.since))
        queue_s = max(0.0, now - waiting.since - load_s)
        self.actions.append(Grant(ticket=waiting.ticket, load=slot.load, queue_s=queue_s, load_s=load_s))

    def refuse(self, ticket: int, error: CorralError) -> None:
        """Tell a waiting request that it gets no runner."""
        del self.waiting[ticket]
        self.actions.append(Refuse(ticket=ticket, error=error))

    def release(self, ticket: int, now: float) -> Slot | None:
        """Take a runner back from a request; None when it has none."""
        for slot in self.alive:
            if ticket in slot.active:
                slot.active.remove(ticket)
                slot.idle_since = now
                return slot
        return None

    def stop(self, slot: Slot) -> None:
        """Let a runner go."""
        slot.phase = Phase.STOPPING
        self.actions.append(Stop(load=slot.load))

    def stop_expired(self, now: float) -> None:
        """Let those runners go whose time is over."""
        for slot in self.alive:
            if slot.expires_at <= now:
                self.stop(slot)

    def expire(self, path: Path) -> None:
        """Let the runners of a model go as soon as they are idle."""
        for slot in self.alive:
            if slot.model.path == path:
                slot.keep_alive_s = 0.0

    def bury(self, slot: Slot, *, recover: bool) -> None:
        """Forget a runner whose process is gone, once its memory is back."""
        slot.active.clear()
        if recover and slot.lags:
            slot.phase = Phase.RECOVERING
            self.actions.append(Recover(load=slot.load, placement=slot.placement))
        else:
            del self.slots[slot.load]


def eviction_order(slot: Slot) -> tuple[bool, float, float]:
    """Put idle runners first, then the shortest keep-alive, then the one that was used longest ago."""
    return (bool(slot.active), slot.keep_alive_s, slot.idle_since)
