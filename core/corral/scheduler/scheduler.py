"""Carry out what the core decides: plan, start, watch and stop runners, and lend them to requests."""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Self, assert_never

from corral.devices import DeviceKind
from corral.errors import CorralError, LoadFailed, RunnerDied
from corral.scheduler import words
from corral.scheduler.clock import SystemClock
from corral.scheduler.core import Core
from corral.scheduler.lease import Lease
from corral.scheduler.life import Life, in_time
from corral.scheduler.recovery import POLL_S, free_bytes, has_recovered
from corral.scheduler.showing import show

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from corral.api import RunningModel
    from corral.devices import Device, Placement
    from corral.placement import Conditions, Verdict
    from corral.runners import Runner
    from corral.scheduler.clock import Clock, Timer
    from corral.scheduler.words import Action, Event
    from corral.settings import Settings
    from corral.spec import ModelSpec

#: Bytes per second below which even a network disk is taken for broken.
_SLOWEST_LOAD = 5 * 1024 * 1024

_log = logging.getLogger(__name__)


class Scheduler:
    """Which runners are alive, who has them on loan, and when they go. An async context manager that owns its tasks."""

    def __init__(
        self,
        *,
        spawn: Callable[[ModelSpec, Placement], AbstractAsyncContextManager[Runner]],
        devices: Callable[[], Awaitable[Sequence[Device]]],
        plan: Callable[[ModelSpec, Sequence[Device], Conditions], Verdict],
        settings: Settings,
        clock: Clock | None = None,
    ) -> None:
        self._spawn = spawn
        self._devices = devices
        self._plan = plan
        self._settings = settings
        self._clock = clock or SystemClock()
        self._core = Core(settings)
        self._tickets = itertools.count(1)
        self._asking: dict[int, asyncio.Future[Lease]] = {}
        self._lives: dict[int, Life] = {}
        self._loading: dict[int, asyncio.Task[Event]] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._timer: Timer | None = None
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._feed(words.Closed())
        for errand in self._errands:
            errand.cancel()
        if isinstance(error, Exception):
            # Not the group's business: it would cancel the runners in the middle of their end, and wrap the error.
            await self._group.__aexit__(None, None, None)
        else:
            await self._group.__aexit__(kind, error, trace)

    @asynccontextmanager
    async def lease(self, model: ModelSpec, *, keep_alive_s: float | None = None) -> AsyncIterator[Lease]:
        """Lend a runner for one request, loading the model when needed.

        Raises Busy when too many wait, NoRoom when it can't fit, LoadFailed when the runner could not start.
        """
        ticket = next(self._tickets)
        death: RunnerDied | None = None
        try:
            yield await self._ask(ticket, model, keep_alive_s)
        except RunnerDied as error:
            death = error
            raise
        finally:
            self._asking.pop(ticket, None)
            self._feed(words.Left(ticket=ticket, error=death))

    def running(self) -> tuple[RunningModel, ...]:
        """Return a snapshot of the models that load or are loaded."""
        now, today = self._clock.now(), self._clock.today()
        return tuple(show(slot, now, today) for slot in self._core.slots())

    async def expire(self, model: ModelSpec) -> None:
        """Unload a model as soon as it is idle; one that is not loaded is fine."""
        self._feed(words.Expired(path=model.path))

    def statistics(self) -> Mapping[str, float]:
        """Return counters and gauges by Prometheus-style name."""
        return self._core.statistics()

    async def _ask(self, ticket: int, model: ModelSpec, keep_alive_s: float | None) -> Lease:
        answer: asyncio.Future[Lease] = asyncio.get_running_loop().create_future()
        self._asking[ticket] = answer
        self._feed(words.Asked(ticket=ticket, model=model, keep_alive_s=keep_alive_s))
        # No limit here: every plan, load, stop and recovery that this wait is made of has its own.
        return await answer

    def _feed(self, event: Event) -> None:
        for action in self._core.handle(event, self._clock.now()):
            self._carry_out(action)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._core.next_deadline()
        if not math.isinf(deadline):
            self._timer = self._clock.call_at(deadline, partial(self._feed, words.Ticked()))

    def _carry_out(self, action: Action) -> None:
        match action:
            case words.Grant():
                self._grant(action)
            case words.Refuse():
                self._refuse(action)
            case words.MakePlan():
                self._start(self._make_plan(action))
            case words.Spawn():
                self._start_runner(action)
            case words.Stop():
                self._stop(action.load)
            case words.Recover():
                self._start(self._recover(action, self._lives[action.load].before))
            case _:
                assert_never(action)

    # Answers

    def _grant(self, grant: words.Grant) -> None:
        slot, runner = self._core.slot(grant.load), self._lives[grant.load].runner
        assert runner is not None
        answer = self._asking[grant.ticket]
        if not answer.done():
            notices = (*slot.placement.notices, *runner.info.notices)
            lease = Lease(runner=runner, placement=slot.placement, queue_s=grant.queue_s, load_s=grant.load_s, notices=notices)
            answer.set_result(lease)

    def _refuse(self, refusal: words.Refuse) -> None:
        answer = self._asking[refusal.ticket]
        if not answer.done():
            answer.set_exception(refusal.error)

    # Errands

    def _start(self, errand: Coroutine[None, None, None]) -> None:
        task = self._group.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _make_plan(self, action: words.MakePlan) -> None:
        gpu_count = 0
        outcome: Verdict | CorralError
        try:
            devices = await self._look()
            gpu_count = sum(d.kind is not DeviceKind.CPU and d.unusable is None for d in devices)
            outcome = await asyncio.to_thread(self._plan, action.model, devices, action.conditions)
        except CorralError as error:
            outcome = error
        except Exception as error:  # noqa: BLE001 -- the header is anybody's file, and the devices are told by plugins
            _log.exception("placing '%s' failed", action.model.name)
            outcome = LoadFailed(f"'{action.model.name}' can't be placed: {type(error).__name__}: {error}")
        self._feed(words.Planned(load=action.load, outcome=outcome, gpu_count=gpu_count))

    async def _look(self) -> Sequence[Device]:
        limit_s = 2 * self._settings.probe_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                return await self._devices()
        except TimeoutError as error:
            raise LoadFailed(f"nobody could say within {limit_s:g} s which devices there are (see: corral doctor)") from error

    async def _recover(self, action: words.Recover, before: Mapping[tuple[str, str], int]) -> None:
        """Ask for the free memory until enough is back or the limit is over."""
        deadline = self._clock.now() + self._settings.recovery_timeout_s
        while before and self._clock.now() < deadline and not has_recovered(action.placement, before, await self._free_bytes()):
            await self._clock.sleep(POLL_S)
        self._feed(words.Recovered(load=action.load))

    async def _free_bytes(self) -> Mapping[tuple[str, str], int]:
        """Return the free memory of each device; none when nobody answers."""
        try:
            async with asyncio.timeout(self._settings.recovery_timeout_s):
                return free_bytes(await self._devices())
        except (CorralError, TimeoutError) as error:
            _log.warning("free memory is unknown: %s", error)
            return {}

    # Runners

    def _start_runner(self, action: words.Spawn) -> None:
        life = self._lives[action.load] = Life()
        task = self._group.create_task(self._live(action, life))
        self._loading[action.load] = task
        # Not at the end of the task: one that is cancelled before its first step has no end of its own.
        task.add_done_callback(partial(self._bury, action.load))

    def _bury(self, load: int, task: asyncio.Task[Event]) -> None:
        self._loading.pop(load, None)
        self._feed(words.Gone(load=load) if task.cancelled() else task.result())
        del self._lives[load]

    def _stop(self, load: int) -> None:
        if load in self._loading:
            self._loading[load].cancel()
        else:
            self._lives[load].end()

    async def _live(self, action: words.Spawn, life: Life) -> Event:
        """Start a runner, keep it until it is over, and return how it ended."""
        reason = ""
        try:
            async with in_time(self._spawn(action.model, action.placement), self._load_limit_s(action)) as life.runner:
                del self._loading[action.load]
                _tell_ready(action, life.runner)
                self._feed(words.Ready(load=action.load, info=life.runner.info))
                reason = await self._until_over(action, life, life.runner)
                if reason:
                    # It died: no request must get it while its remains are cleared away.
                    _log.warning("the runner of %s died: %s", action.model.name, reason)
                    self._feed(words.Gone(load=action.load, reason=reason))
        except CorralError as error:
            _log.warning("%s was not loaded: %s", action.model.name, error)
            return words.Failed(load=action.load, error=error)
        except Exception as error:  # noqa: BLE001 -- a runner is a plugin's code
            _log.exception("runner '%s' failed", action.model.runner.name)
            message = f"runner '{action.model.runner.name}' failed: {type(error).__name__}: {error}"
            return words.Failed(load=action.load, error=LoadFailed(message))
        _log.info("%s is unloaded", action.model.name)
        return words.Gone(load=action.load, reason=reason)

    def _load_limit_s(self, action: words.Spawn) -> float | None:
        """Return how long a load may take at all; runners themselves give up when it makes no progress for long."""
        size = action.placement.host_bytes + action.placement.device_bytes
        limit_s = self._settings.load_timeout_s + size / _SLOWEST_LOAD
        return None if math.isinf(limit_s) else limit_s

    async def _until_over(self, action: words.Spawn, life: Life, runner: Runner) -> str:
        watch = self._group.create_task(life.watch(runner))
        try:
            await self._measure(action.placement, life)
            reason = await life.over
            if not reason:
                await self._measure(action.placement, life)
            return reason
        finally:
            watch.cancel()

    async def _measure(self, placement: Placement, life: Life) -> None:
        """Remember how much was free while the runner was alive; its end is compared with that."""
        if any(share.device.kind is DeviceKind.GPU for share in placement.shares):
            life.before = await self._free_bytes() or life.before


def _tell_ready(action: words.Spawn, runner: Runner) -> None:
    placement, name = action.placement, action.model.name
    layers = f"{placement.gpu_layers} of {placement.total_layers} layers on GPUs"
    _log.info("%s is loaded: %s, %d tokens x %d", name, layers, placement.context_tokens, placement.parallel)
    for notice in (*placement.notices, *runner.info.notices):
        _log.warning("%s: %s (%s)", name, notice.message, notice.code)
