"""The scheduler's shell: real tasks, scripted runners, a clock that the test turns."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from corral.devices import Device, DeviceKind, Placement, Share
from corral.errors import Busy, LoadFailed, NoRoom, RunnerDied, StoreError
from corral.options import LoadOptions
from corral.placement import Shortage
from corral.runners import Notice
from corral.scheduler import Scheduler, life
from corral.scheduler.recovery import has_recovered
from corral.settings import Settings
from corral.testing import ScriptedRunner, model_spec

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GIB = 1024**3
CPU = Device(backend="cpu", id="cpu", name="CPU", kind=DeviceKind.CPU, total_bytes=8 * GIB, free_bytes=8 * GIB)
GPU = Device(backend="CUDA", id="GPU-1", name="CUDA0", kind=DeviceKind.GPU, total_bytes=8 * GIB, free_bytes=8 * GIB)


class Call:
    """A call that the clock makes when its time has come."""

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None

    def make(self) -> None:
        if self.callback is not None:
            self.callback()


class TestClock:
    """A clock that stands still until it is turned."""

    __test__ = False

    def __init__(self) -> None:
        self.time = 100.0
        self.calls: list[Call] = []

    def now(self) -> float:
        return self.time

    def today(self) -> datetime:
        return NOON + timedelta(seconds=self.time - 100.0)

    def call_at(self, when, callback):
        self.calls.append(call := Call(when, callback))
        return call

    async def sleep(self, seconds: float) -> None:
        self.turn(seconds)
        await asyncio.sleep(0)

    def turn(self, seconds: float) -> None:
        self.time += seconds
        due = [call for call in self.calls if call.when <= self.time]
        self.calls = [call for call in self.calls if call not in due]
        for call in due:
            call.make()


class Stage:
    """A scheduler with everything around it scripted. One model of those in `sizes` takes that many GiB of 8."""

    def __init__(self, *, on_gpu: bool = False, sizes: dict[str, int] | None = None, **given: object) -> None:
        self.clock = TestClock()
        self.on_gpu = on_gpu
        self.sizes = sizes or {}
        self.runners: list[ScriptedRunner] = []
        self.errors: deque[Exception] = deque()
        self.plan_error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.spawning = asyncio.Event()
        self.closed: list[str] = []
        self.cancelled = 0
        self.load_s = 1.0
        self.free: deque[int] = deque()
        self.notices: tuple[Notice, ...] = ()
        self.conditions = []
        self.scheduler = Scheduler(spawn=self.spawn, devices=self.devices, plan=self.plan, settings=Settings(**given), clock=self.clock)

    @asynccontextmanager
    async def spawn(self, model, placement):
        self.spawning.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        self.clock.turn(self.load_s)
        if self.errors:
            raise self.errors.popleft()
        runner = ScriptedRunner(["hi"], slots=placement.parallel)
        self.runners.append(runner)
        try:
            yield runner
        finally:
            self.closed.append(model.name)

    async def devices(self):
        free = self.free.popleft() if len(self.free) > 1 else self.free[0] if self.free else 8 * GIB
        return [CPU, replace(GPU, free_bytes=free)]

    def plan(self, model, devices, conditions):
        if self.plan_error:
            raise self.plan_error
        self.conditions.append(conditions)
        size = self.sizes.get(model.name, 1) * GIB
        free = 8 * GIB - sum(conditions.taken.values())
        if size > free:
            return Shortage(reason="too big", required_bytes=size, available_bytes=free)
        share = Share(device=GPU, layers=10, weights_bytes=size, cache_bytes=0, compute_bytes=0)
        return Placement(
            shares=(share,) if self.on_gpu else (),
            total_layers=10,
            host_bytes=0 if self.on_gpu else size,
            context_tokens=1024 if conditions.reduced else 4096,
            parallel=2,
            batch_tokens=512,
            threads=1,
            notices=self.notices,
        )


def model(name: str = "a", **load: object):
    return replace(model_spec(name), path=Path(f"/models/{name}"), load=LoadOptions(**load))


async def until(condition) -> None:
    """Let other tasks run until something holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 -- what is waited for has no event
            await asyncio.sleep(0)


async def test_a_lease_lends_a_loaded_runner_and_says_how_long_it_took():
    stage = Stage()

    async with stage.scheduler, stage.scheduler.lease(model()) as lease:
        assert lease.runner is stage.runners[0]
        assert (lease.queue_s, lease.load_s) == (0.0, 1.0)
        assert lease.placement.context_tokens == 4096


async def test_many_requests_at_once_make_one_load():
    """F61."""
    stage = Stage()

    async def ask() -> ScriptedRunner:
        async with stage.scheduler.lease(model()) as lease:
            return lease.runner

    async with stage.scheduler:
        runners = await asyncio.gather(*(ask() for _ in range(100)))

    assert set(runners) == set(stage.runners)
    assert len(stage.runners) == 1


async def test_a_runner_stops_when_its_keep_alive_is_over():
    stage = Stage(keep_alive_s=60.0)

    async with stage.scheduler:
        async with stage.scheduler.lease(model()):
            pass
        stage.clock.turn(59)
        await asyncio.sleep(0)
        before = list(stage.closed)
        stage.clock.turn(2)
        await until(lambda: stage.closed)

    assert before == []
    assert stage.closed == ["a"]


async def test_running_shows_what_is_loaded_and_when_it_goes():
    stage = Stage()

    async with stage.scheduler:
        async with stage.scheduler.lease(model(), keep_alive_s=60):
            (busy,) = stage.scheduler.running()
        (idle,) = stage.scheduler.running()
        async with stage.scheduler.lease(model(), keep_alive_s=math.inf):
            pass
        (kept,) = stage.scheduler.running()

    assert (busy.active, idle.active) == (1, 0)
    assert busy.total_bytes == 1 * GIB
    assert idle.expires_at == NOON + timedelta(seconds=61)
    assert kept.expires_at is None


@pytest.mark.parametrize("keep_alive_s", [1e300, 1e12])
async def test_a_keep_alive_beyond_the_calendar_is_for_ever(keep_alive_s):
    stage = Stage()

    async with stage.scheduler:
        async with stage.scheduler.lease(model(), keep_alive_s=keep_alive_s):
            pass
        (shown,) = stage.scheduler.running()

    assert shown.expires_at is None


async def test_a_clock_on_the_wall_that_jumps_ends_no_keep_alive():
    """F56."""
    stage = Stage()

    async with stage.scheduler:
        async with stage.scheduler.lease(model(), keep_alive_s=60):
            pass
        stage.clock.today = lambda: NOON + timedelta(days=365)
        stage.clock.turn(59)
        (shown,) = stage.scheduler.running()
        closed_early = list(stage.closed)
        stage.clock.turn(2)
        await until(lambda: stage.closed)

    assert closed_early == []
    assert shown.expires_at == NOON + timedelta(days=365, seconds=1)


async def test_expire_unloads_an_idle_model_at_once():
    stage = Stage()

    async with stage.scheduler:
        async with stage.scheduler.lease(model()):
            pass
        await stage.scheduler.expire(model())
        await until(lambda: stage.closed)
        shown = stage.scheduler.running()

    assert shown == ()


async def test_everybody_who_waits_gets_the_error_of_the_load():
    stage = Stage()
    stage.errors.append(LoadFailed("bad magic"))

    async def ask() -> None:
        async with stage.scheduler.lease(model()):
            pass

    async with stage.scheduler:
        errors = await asyncio.gather(*(ask() for _ in range(3)), return_exceptions=True)

    assert [str(error) for error in errors] == ["bad magic"] * 3


async def test_a_runner_plugin_that_raises_anything_is_a_failed_load_that_names_it():
    stage = Stage()
    stage.errors.append(ZeroDivisionError("oops"))

    async with stage.scheduler:
        with pytest.raises(LoadFailed, match="runner 'scripted' failed: ZeroDivisionError: oops"):
            async with stage.scheduler.lease(model()):
                pass


async def test_no_room_is_told_with_both_figures():
    stage = Stage(sizes={"a": 9})

    async with stage.scheduler:
        with pytest.raises(NoRoom) as caught:
            async with stage.scheduler.lease(model()):
                pass

    assert (caught.value.required_bytes, caught.value.available_bytes) == (9 * GIB, 8 * GIB)


async def test_a_file_that_can_not_be_read_is_told():
    stage = Stage()
    stage.plan_error = StoreError("can't read it")

    async with stage.scheduler:
        with pytest.raises(StoreError, match="can't read it"):
            async with stage.scheduler.lease(model()):
                pass


async def test_a_bug_in_planning_costs_that_request_only():
    stage = Stage()
    stage.plan_error = ZeroDivisionError("oops")

    async with stage.scheduler:
        with pytest.raises(LoadFailed, match="'a' can't be placed: ZeroDivisionError"):
            async with stage.scheduler.lease(model()):
                pass
        stage.plan_error = None
        async with stage.scheduler.lease(model()) as lease:
            assert lease.runner


async def test_a_client_that_leaves_while_its_model_loads_stops_the_load():
    """F57."""
    stage = Stage()
    stage.gate.clear()

    async with stage.scheduler:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0), stage.scheduler.lease(model()):
                pass
        async with asyncio.TaskGroup() as group:
            task = group.create_task(_use(stage))
            await stage.spawning.wait()
            task.cancel()
        await until(lambda: stage.cancelled)
        stage.gate.set()
        async with stage.scheduler.lease(model()) as lease:
            assert lease.runner is stage.runners[0]

    assert stage.cancelled == 1


async def _use(stage: Stage, name: str = "a") -> float:
    async with stage.scheduler.lease(model(name), keep_alive_s=0) as lease:
        return lease.queue_s


async def test_a_load_goes_on_for_others_when_the_client_that_began_it_leaves():
    """F57."""
    stage = Stage()
    stage.gate.clear()

    async with stage.scheduler, asyncio.TaskGroup() as group:
        first, second = group.create_task(_use(stage)), group.create_task(_use(stage))
        await stage.spawning.wait()
        first.cancel()
        await asyncio.sleep(0)
        stage.gate.set()
        await second

    assert len(stage.runners) == 1
    assert stage.cancelled == 0


async def test_a_client_that_leaves_before_the_load_has_taken_its_first_step_leaves_nothing_behind():
    """F57: a task that is cancelled before it starts never runs; the scheduler must hear of its end all the same."""
    stage = Stage()

    async with stage.scheduler:
        task = asyncio.get_running_loop().create_task(_use(stage))
        await until(lambda: stage.scheduler.running())
        task.cancel()
        await asyncio.wait([task])
        await until(lambda: not stage.scheduler.statistics()["corral_requests_waiting"])
        assert await _use(stage) == 0.0


async def test_a_client_that_leaves_in_the_middle_of_an_answer_gives_its_runner_back():
    """F57."""
    stage = Stage()
    inside = asyncio.Event()

    async def answer() -> None:
        async with stage.scheduler.lease(model()):
            inside.set()
            await asyncio.Event().wait()

    async with stage.scheduler, asyncio.TaskGroup() as group:
        task = group.create_task(answer())
        await inside.wait()
        task.cancel()
        await asyncio.wait([task])
        (shown,) = stage.scheduler.running()

    assert shown.active == 0


async def test_a_request_whose_runner_dies_hears_it_and_the_next_one_gets_a_fresh_runner():
    stage = Stage()

    async with stage.scheduler:
        with pytest.raises(RunnerDied):
            await _answer_and_die(stage)
        async with stage.scheduler.lease(model()) as lease:
            assert lease.runner is stage.runners[1]


async def _answer_and_die(stage: Stage) -> None:
    async with stage.scheduler.lease(model()) as lease:
        stage.runners[-1].die("killed")
        await lease.runner.embed(["x"])


async def test_a_runner_that_dies_while_it_is_idle_is_never_lent_again():
    stage = Stage()

    async with stage.scheduler:
        await _ask_and_leave(stage, "a")
        stage.runners[0].die("killed")
        await until(lambda: stage.closed)
        async with stage.scheduler.lease(model()) as lease:
            assert lease.runner is stage.runners[1]


async def test_an_error_beside_the_runners_leaves_the_scheduler_as_it_is():
    stage = Stage()

    async def fail() -> None:
        async with stage.scheduler:
            await _ask_and_leave(stage, "a")
            raise StoreError("disk full")

    with pytest.raises(StoreError):
        await fail()

    assert stage.closed == ["a"]


async def test_running_out_of_memory_in_an_answer_lets_every_runner_go():
    """F64."""
    stage = Stage()

    async with stage.scheduler:
        await _ask_and_leave(stage, "b")
        with pytest.raises(RunnerDied):
            async with stage.scheduler.lease(model("a")):
                raise RunnerDied("out of memory", out_of_memory=True)
        await until(lambda: len(stage.closed) == 2)

    assert sorted(stage.closed) == ["a", "b"]


async def _ask_and_leave(stage: Stage, name: str) -> None:
    async with stage.scheduler.lease(model(name)):
        pass


async def test_a_load_without_memory_is_tried_again_with_less():
    """F63."""
    stage = Stage()
    stage.errors.append(LoadFailed("cudaMalloc failed", out_of_memory=True))

    async with stage.scheduler, stage.scheduler.lease(model()) as lease:
        context = lease.placement.context_tokens

    assert context == 1024
    assert [conditions.reduced for conditions in stage.conditions] == [False, True]


async def test_whatever_is_less_than_asked_for_comes_with_the_lease():
    stage = Stage()
    stage.notices = (Notice(code="partial_offload", message="3 of 10 layers fit"),)

    async with stage.scheduler, stage.scheduler.lease(model()) as lease:
        assert lease.notices == stage.notices


async def test_too_many_requests_are_refused_at_once():
    """F58."""
    stage = Stage(max_queue=1)
    stage.gate.clear()

    async with stage.scheduler, asyncio.TaskGroup() as group:
        group.create_task(_use(stage))
        await stage.spawning.wait()
        with pytest.raises(Busy, match="server busy"):
            await _use(stage)
        stage.gate.set()


async def test_two_models_under_a_limit_that_holds_one_are_both_served_and_the_wait_is_told():
    """F62."""
    stage = Stage(sizes={"a": 5, "b": 5})

    async with stage.scheduler:
        waits = await asyncio.gather(*(_use(stage, name) for name in "ab" * 10))
        counted = stage.scheduler.statistics()

    assert len(waits) == 20
    assert counted["corral_loads_total"] == 2
    assert waits[0] == 0.0
    assert waits[1] >= 1.0


async def test_leaving_the_scheduler_stops_every_runner_and_refuses_who_waits():
    stage = Stage(sizes={"a": 5, "b": 5})
    held = asyncio.Event()

    async def hold() -> None:
        async with stage.scheduler.lease(model("a")):
            held.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        async with stage.scheduler:
            holder = group.create_task(hold())
            await held.wait()
            waiting = group.create_task(_refusal(stage))
            await asyncio.sleep(0)
        holder.cancel()

    assert stage.closed == ["a"]
    assert "shutting down" in waiting.result()


async def _refusal(stage: Stage) -> str:
    try:
        return str(await _use(stage, "b"))
    except Busy as error:
        return str(error)


async def test_a_runner_that_does_not_leave_is_given_up(monkeypatch):
    monkeypatch.setattr(life, "_STOP_LIMIT_S", 0.01)
    stage = Stage()

    @asynccontextmanager
    async def clinging(model, placement):
        runner = ScriptedRunner()
        stage.runners.append(runner)
        try:
            yield runner
        finally:
            await asyncio.Event().wait()

    stage.scheduler._spawn = clinging
    async with stage.scheduler:
        await _use(stage)
        await until(lambda: stage.scheduler.running() == ())
        await _use(stage)

    assert len(stage.runners) == 2


async def test_the_next_load_waits_until_enough_memory_is_free_again():
    stage = Stage(on_gpu=True, sizes={"a": 5, "b": 5})

    async with stage.scheduler:
        await _ask_and_leave(stage, "a")
        # When the load is planned, before the stop, and then until 3.75 of the 5 GiB have come back.
        stage.free.extend([3 * GIB, 3 * GIB, 6 * GIB, 6 * GIB, 7 * GIB])
        before = stage.clock.now()
        await _ask_and_leave(stage, "b")

    assert stage.clock.now() - before == pytest.approx(0.5 + stage.load_s)


async def test_memory_that_does_not_come_back_is_waited_for_no_longer_than_the_limit():
    stage = Stage(on_gpu=True, sizes={"a": 5, "b": 5}, recovery_timeout_s=2.0)

    async with stage.scheduler:
        await _ask_and_leave(stage, "a")
        stage.free.append(3 * GIB)
        before = stage.clock.now()
        await _ask_and_leave(stage, "b")

    assert stage.clock.now() - before == pytest.approx(2.0 + stage.load_s)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (3, 8, True),
        (3, 7, True),
        (3, 6, False),
        (3, 1, False),
        (None, 1, True),
        (3, None, True),
    ],
)
def test_recovery_is_a_signed_difference_of_the_devices_in_use(before, now, expected):
    """Another process that takes memory meanwhile must not end the wait: an unsigned difference would be huge."""
    share = Share(device=GPU, layers=1, weights_bytes=5 * GIB, cache_bytes=0, compute_bytes=0)
    placement = Placement(shares=(share,), total_layers=1, host_bytes=0, context_tokens=1, parallel=1, batch_tokens=1, threads=1)
    other = {("CUDA", "GPU-2"): 100 * GIB}

    assert has_recovered(placement, _books(before), {**_books(now), **other}) is expected


def test_memory_that_nobody_measures_again_is_not_waited_for():
    device = replace(GPU, is_measured=False)
    share = Share(device=device, layers=1, weights_bytes=4 * GIB, cache_bytes=0, compute_bytes=0)
    placement = Placement(shares=(share,), total_layers=1, host_bytes=0, context_tokens=1, parallel=1, batch_tokens=1, threads=1)

    assert has_recovered(placement, _books(2), _books(2))


def _books(free):
    return {} if free is None else {GPU.key: free * GIB}


async def test_a_runner_that_is_never_ready_is_given_up_in_the_end():
    stage = Stage(load_timeout_s=0.001, sizes={"a": 0})
    stage.gate.clear()

    async with stage.scheduler:
        with pytest.raises(LoadFailed, match="not ready after 0 s"):
            await _use(stage)

    assert stage.cancelled == 1


async def test_devices_that_do_not_answer_cost_that_request_only():
    stage = Stage(probe_timeout_s=0.001)
    answering = stage.scheduler._devices
    stage.scheduler._devices = asyncio.Event().wait

    async with stage.scheduler:
        with pytest.raises(LoadFailed, match="which devices there are"):
            await _use(stage)
        stage.scheduler._devices = answering
        assert await _use(stage) == 0.0


async def test_the_runner_gets_the_options_as_they_came_out():
    stage = Stage()
    seen = []
    spawn = stage.scheduler._spawn
    stage.scheduler._spawn = lambda spec, placement: seen.append(spec.load) or spawn(spec, placement)

    async with stage.scheduler:
        await _use(stage)

    assert (seen[0].num_ctx, seen[0].num_parallel, seen[0].num_batch) == (4096, 2, 512)
