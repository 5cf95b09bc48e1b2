"""The scheduler's state machine, played event by event."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from corral.devices import Device, DeviceKind, Placement, Share
from corral.errors import Busy, CorralError, InvalidGGUF, LoadFailed, NoRoom, RunnerDied
from corral.options import LoadOptions
from corral.placement import HOST, Shortage
from corral.runners import RunnerInfo
from corral.scheduler import words
from corral.scheduler.backoff import Backoff
from corral.scheduler.core import Core
from corral.scheduler.learning import Corrections, actual_bytes
from corral.scheduler.state import Phase, Slot
from corral.settings import Settings
from corral.testing import model_spec

if TYPE_CHECKING:
    from corral.placement import Conditions
    from corral.scheduler.words import Action, Event
    from corral.spec import ModelSpec

ROOM = 100
GPU = Device(backend="CUDA", id="GPU-1", name="CUDA0", kind=DeviceKind.GPU, total_bytes=ROOM, free_bytes=ROOM)
DIED = LoadFailed("the process was killed")
OUT_OF_MEMORY = LoadFailed("cudaMalloc failed: out of memory", out_of_memory=True)


def model(name: str, **load: object) -> ModelSpec:
    """Return a model whose weights are at a path of their own."""
    return replace(model_spec(name), path=Path(f"/models/{name}"), load=LoadOptions(**load))  # type: ignore[arg-type]


def placed(size: int, *, on_gpu: bool = True, context: int = 4096, parallel: int = 1) -> Placement:
    """Return a placement of that many bytes."""
    share = Share(device=GPU, layers=10, weights_bytes=size, cache_bytes=0, compute_bytes=0)
    return Placement(
        shares=(share,) if on_gpu else (),
        total_layers=10,
        host_bytes=0 if on_gpu else size,
        context_tokens=context,
        parallel=parallel,
        batch_tokens=512,
        threads=1,
    )


class Play:
    """Feeds a core and keeps what it asked for. Models have a size; the one GPU holds ROOM."""

    def __init__(self, sizes: dict[str, int] | None = None, *, on_gpu: bool = True, slots: int = 4, **given: object) -> None:
        self.core = Core(Settings(**given))  # type: ignore[arg-type]
        self.sizes = sizes or {}
        self.on_gpu = on_gpu
        self.slots = slots
        self.now = 0.0
        self.last_ticket = 0
        self.log: list[Action] = []
        self.plans: dict[int, words.MakePlan] = {}
        self.loading: dict[int, words.Spawn] = {}
        self.ready: set[int] = set()
        self.stopping: set[int] = set()
        self.recovering: set[int] = set()
        #: What runners really hold, until it is back.
        self.memory: dict[int, int] = {}
        self.granted: dict[int, int] = {}
        self.refused: dict[int, CorralError] = {}
        self.waiting: dict[int, ModelSpec] = {}
        self.asked: dict[int, ModelSpec] = {}
        self.spawns = 0

    def feed(self, event: Event) -> list[Action]:
        """Feed one event and carry out what follows."""
        actions = self.core.handle(event, self.now)
        for action in actions:
            self.carry_out(action)
        held = (*self.loading, *self.ready, *self.stopping, *self.recovering)
        self.memory = {load: size for load, size in self.memory.items() if load in held}
        self.log.extend(actions)
        return actions

    def carry_out(self, action: Action) -> None:
        """Check an action against everything that must never happen."""
        match action:
            case words.Grant():
                assert action.ticket in self.waiting, "granted twice, or to nobody"
                assert action.load in self.ready, "granted a runner that is not ready"
                del self.waiting[action.ticket]
                self.granted[action.ticket] = action.load
            case words.Refuse():
                assert action.ticket in self.waiting, "refused twice, or nobody"
                del self.waiting[action.ticket]
                self.refused[action.ticket] = action.error
            case words.MakePlan():
                assert not self.loading, "planned while another model loads"
                self.plans[action.load] = action
            case words.Spawn():
                assert not self.loading, "two loads at once"
                self.loading[action.load] = action
                self.memory[action.load] = self.sizes.get(action.model.name, 10)
                self.spawns += 1
            case words.Stop():
                assert action.load not in self.granted.values(), "stopped a busy runner"
                assert action.load in self.loading or action.load in self.ready
                self.loading.pop(action.load, None)
                self.ready.discard(action.load)
                self.stopping.add(action.load)
            case words.Recover():
                self.recovering.add(action.load)

    def ask(self, spec: ModelSpec, keep_alive_s: float | None = None) -> int:
        """Ask for a runner and return the ticket."""
        self.last_ticket += 1
        self.waiting[self.last_ticket] = self.asked[self.last_ticket] = spec
        self.feed(words.Asked(ticket=self.last_ticket, model=spec, keep_alive_s=keep_alive_s))
        return self.last_ticket

    def leave(self, ticket: int, error: RunnerDied | None = None) -> None:
        """End a request."""
        self.waiting.pop(ticket, None)
        self.granted.pop(ticket, None)
        self.feed(words.Left(ticket=ticket, error=error))

    def verdict(self, plan: words.MakePlan) -> Placement | Shortage:
        """Return what fits beside what is taken."""
        size = self.sizes.get(plan.model.name, 10)
        free = ROOM - self.taken(plan.conditions)
        if size > free:
            return Shortage(reason="no room", required_bytes=size, available_bytes=free)
        options = plan.model.load or LoadOptions()
        context = options.num_ctx or (2048 if plan.conditions.reduced else 4096)
        return placed(size, on_gpu=self.on_gpu, context=context)

    def taken(self, conditions: Conditions) -> int:
        """Return what is taken, on the GPU or the host."""
        return sum(conditions.taken.values())

    def plan(self, outcome: Placement | Shortage | CorralError | None = None) -> None:
        """Answer the oldest plan."""
        load = min(self.plans)
        action = self.plans.pop(load)
        self.feed(words.Planned(load=load, outcome=outcome or self.verdict(action), gpu_count=1))

    def load_ok(self) -> int:
        """Let the load in progress succeed."""
        load = min(self.loading)
        del self.loading[load]
        self.ready.add(load)
        self.feed(words.Ready(load=load, info=RunnerInfo(context_tokens=4096, slots=self.slots)))
        return load

    def load_fail(self, error: CorralError) -> None:
        """Let the load in progress fail."""
        load = min(self.loading)
        del self.loading[load]
        self.feed(words.Failed(load=load, error=error))

    def crash(self, load: int, *, out_of_memory: bool = False, requests_first: bool = False) -> None:
        """Let a ready runner die, and its requests fail."""
        error = RunnerDied("segmentation fault", out_of_memory=out_of_memory)
        holders = [ticket for ticket, held in self.granted.items() if held == load]
        if not requests_first:
            self.ready.discard(load)
            self.feed(words.Gone(load=load, reason=str(error)))
        for ticket in holders:
            self.leave(ticket, error)
        if load in self.ready:
            self.ready.discard(load)
            self.feed(words.Gone(load=load, reason=str(error)))

    def stopped(self) -> None:
        """Let the oldest stopping runner be gone."""
        load = min(self.stopping)
        self.stopping.remove(load)
        self.feed(words.Gone(load=load))

    def recovered(self) -> None:
        """Let the oldest recovery be over."""
        load = min(self.recovering)
        self.recovering.remove(load)
        self.feed(words.Recovered(load=load))

    def settle(self) -> None:
        """Answer everything that is asked for, until nothing more is."""
        steps = {"plans": self.plan, "loading": self.load_ok, "stopping": self.stopped, "recovering": self.recovered}
        while pending := next((step for name, step in steps.items() if getattr(self, name)), None):
            pending()

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with the tick that is due."""
        self.now += seconds
        if self.core.next_deadline() <= self.now:
            self.feed(words.Ticked())

    def loaded(self) -> list[str]:
        """Return the names of the ready models."""
        return [slot.model.name for slot in self.core.slots() if slot.phase is Phase.READY]


def _ticket(play: Play, name: str) -> int:
    """Ask for a model a while later, and return the ticket once that is answered."""
    play.now += 0.1
    ticket = play.ask(model(name))
    play.settle()
    return ticket


def test_a_request_loads_its_model_and_gets_the_runner():
    play = Play()

    ticket = play.ask(model("a"))
    play.now = 2.0
    play.settle()

    assert play.granted == {ticket: 1}
    grant = next(action for action in play.log if isinstance(action, words.Grant))
    assert (grant.queue_s, grant.load_s) == (0.0, 2.0)


def test_a_hundred_requests_during_a_load_make_one_load():
    """F61."""
    play = Play()

    tickets = [play.ask(model("a")) for _ in range(100)]
    play.settle()

    assert sorted(play.granted) == tickets
    assert play.spawns == 1


def test_a_second_identical_request_gets_the_same_runner_even_without_keep_alive():
    play = Play()

    play.ask(model("a"), keep_alive_s=0)
    play.ask(model("a"), keep_alive_s=0)
    play.settle()
    play.ask(model("a"), keep_alive_s=0)

    assert set(play.granted.values()) == {1}


def test_a_ready_runner_serves_while_another_model_loads():
    play = Play()
    play.ask(model("a"))
    play.settle()

    play.ask(model("b"))
    ticket = play.ask(model("a"))

    assert ticket in play.granted


def test_models_that_fit_together_stay_loaded_together():
    play = Play({"a": 40, "b": 40})

    for name in ("a", "b"):
        play.ask(model(name))
        play.settle()

    assert play.loaded() == ["a", "b"]


def test_the_idle_runner_goes_before_the_busy_one_with_the_shorter_keep_alive():
    play = Play({"a": 40, "b": 40, "c": 40})
    play.ask(model("a"), keep_alive_s=1)
    play.settle()
    idle = play.ask(model("b"), keep_alive_s=600)
    play.settle()
    play.leave(idle)

    play.ask(model("c"))
    play.settle()

    assert play.loaded() == ["a", "c"]


def test_of_idle_runners_the_one_with_the_shortest_keep_alive_goes_and_then_the_oldest():
    play = Play({"d": 50, "e": 90}, max_loaded_models=9)
    for name, keep_alive_s in (("a", math.inf), ("b", 60), ("c", 60)):
        ticket = play.ask(model(name), keep_alive_s=keep_alive_s)
        play.settle()
        play.now += 1
        play.leave(ticket)
    play.sizes |= {"d": 75, "e": 85}

    play.ask(model("d"))
    play.settle()
    after_one = play.loaded()
    play.leave(play.last_ticket)
    play.ask(model("e"), keep_alive_s=1)
    play.settle()

    assert after_one == ["a", "c", "d"]
    assert play.loaded() == ["a", "e"]


def test_a_busy_runner_is_waited_for_and_takes_no_new_requests_meanwhile():
    """F59."""
    play = Play({"a": 60, "b": 60})
    first = play.ask(model("a"))
    play.settle()

    waiting = play.ask(model("b"))
    play.settle()
    late = play.ask(model("a"))
    before = set(play.granted)
    play.leave(first)
    play.settle()

    assert before == {first}
    assert waiting in play.granted
    assert late in play.waiting


def test_a_runner_that_becomes_idle_goes_instead_of_the_busy_one_that_was_chosen():
    play = Play({"a": 40, "b": 40, "c": 40})
    play.ask(model("a"), keep_alive_s=1)
    play.settle()
    other = play.ask(model("b"), keep_alive_s=600)
    play.settle()
    play.ask(model("c"))
    play.settle()

    play.leave(other)
    play.settle()

    assert play.loaded() == ["a", "c"]


def test_two_models_that_do_not_fit_together_are_both_served_with_few_swaps():
    """F62: requests that wait together are served together, so the swaps are fewer than the requests."""
    play = Play({"a": 60, "b": 60})
    served: list[str] = []
    names = {play.ask(model(name)): name for name in "ab" * 20}

    while play.waiting or play.granted:
        play.settle()
        ticket = min(play.granted)
        served.append(names[ticket])
        play.leave(ticket)

    assert sorted(served) == ["a"] * 20 + ["b"] * 20
    assert play.spawns == 2


def test_a_stream_of_requests_for_one_model_does_not_starve_another():
    """F62."""
    play = Play({"a": 60, "b": 60})
    busy = [play.ask(model("a"))]
    play.settle()

    other = play.ask(model("b"))
    play.settle()
    rounds = 0
    while other in play.waiting:
        rounds += 1
        busy.append(play.ask(model("a")))
        play.leave(busy.pop(0))
        play.settle()

    assert rounds == 1


def test_swaps_of_two_endless_clients_are_bounded_by_their_requests():
    """F62: each client asks again as soon as it is answered."""
    play = Play({"a": 60, "b": 60})
    for name in "ab":
        play.ask(model(name))
    answered = {"a": 0, "b": 0}

    for _ in range(20):
        play.settle()
        ticket = min(play.granted)
        name = play.core.slot(play.granted[ticket]).model.name
        answered[name] += 1
        play.ask(model(name))
        play.leave(ticket)

    assert answered == {"a": 10, "b": 10}
    assert play.spawns <= 21


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"num_ctx": 2048}, {"num_ctx": 1024}),
        ({}, {"num_ctx": 1024}),
        ({}, {"num_gpu": 3}),
        ({}, {"use_mmap": False}),
        ({}, {"num_thread": 7}),
        ({}, {"num_batch": 64}),
        ({}, {"main_gpu": 0}),
        ({}, {"device": ("CUDA0",)}),
        ({}, {"cache_type_k": "q8_0"}),
        ({}, {"flash_attention": True}),
        ({"num_ctx": 64}, {}),
    ],
)
def test_another_effective_option_waits_for_the_runner_and_loads_the_model_again(first, second):
    play = Play()
    busy = play.ask(model("a", **first))
    play.settle()

    ticket = play.ask(model("a", **second))
    play.settle()
    spawns_while_busy = play.spawns
    play.leave(busy)
    play.settle()

    assert spawns_while_busy == 1
    assert play.granted == {ticket: play.granted[ticket]}
    assert play.spawns == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"num_ctx": 4096}),
        ({"num_ctx": 999_999}, {"num_ctx": 5_000_000}),
        ({"num_gpu": 5}, {}),
        ({"num_gpu": 99}, {"num_gpu": 10}),
        ({}, {"num_gpu": 99}),
        ({}, {"num_thread": 1}),
        ({"num_ctx": 4096}, {}),
        ({"num_batch": 64, "num_thread": 3}, {}),
        ({"main_gpu": 0}, {"main_gpu": 0}),
    ],
)
def test_options_that_come_to_the_same_do_not_reload(first, second):
    play = Play()
    play.ask(model("a", **first))
    if first.get("num_ctx", 0) > 4096:
        play.plan(placed(10, context=4096))
    play.settle()

    ticket = play.ask(model("a", **second))

    assert ticket in play.granted
    assert play.spawns == 1


@pytest.mark.parametrize("change", [{"adapters": (Path("/lora"),)}, {"projector": Path("/mm")}, {"draft": Path("/draft")}])
def test_other_files_reload(change):
    play = Play()
    busy = play.ask(model("a"))
    play.settle()

    play.ask(replace(model("a"), **change))
    play.leave(busy)
    play.settle()

    assert play.spawns == 2


def test_two_names_of_the_same_weights_share_a_runner():
    play = Play()
    play.ask(model("a"))
    play.settle()

    ticket = play.ask(replace(model("a"), name="b:latest"))

    assert ticket in play.granted


def test_new_weights_under_an_old_name_get_their_own_runner_while_the_old_one_still_answers():
    """F65: replacing a model changes its path, because paths are digests."""
    play = Play()
    play.ask(model("a"))
    play.settle()

    play.ask(replace(model("a"), path=Path("/models/new")))
    play.settle()

    assert play.spawns == 2
    assert len(set(play.granted.values())) == 2


def test_an_idle_runner_stops_when_its_keep_alive_is_over_and_not_before():
    """F60."""
    play = Play()
    ticket = play.ask(model("a"), keep_alive_s=10)
    play.settle()
    play.leave(ticket)

    play.pass_time(9.9)
    before = play.loaded()
    play.pass_time(0.2)

    assert before == ["a"]
    assert play.stopping == {1}


def test_keep_alive_counts_from_the_end_of_the_last_request():
    """F60."""
    play = Play()
    tickets = [play.ask(model("a"), keep_alive_s=10) for _ in range(2)]
    play.settle()
    play.leave(tickets[0])

    play.pass_time(60)
    play.leave(tickets[1])
    play.pass_time(9)

    assert play.loaded() == ["a"]


def test_keep_alive_stays_as_it_is_until_a_request_sets_it():
    """F60."""
    play = Play()
    play.ask(model("a"), keep_alive_s=0)
    play.settle()
    play.ask(model("a"))
    for ticket in list(play.granted):
        play.leave(ticket)

    assert play.stopping == {1}


def test_a_model_that_is_kept_for_ever_never_expires():
    """F60."""
    play = Play()
    ticket = play.ask(model("a"), keep_alive_s=math.inf)
    play.settle()
    play.leave(ticket)

    assert play.core.next_deadline() == math.inf


def test_unloading_waits_for_the_last_request():
    play = Play()
    ticket = play.ask(model("a"))
    play.settle()

    play.feed(words.Expired(path=model("a").path))
    while_busy = set(play.stopping)
    play.leave(ticket)

    assert while_busy == set()
    assert play.stopping == {1}


def test_unloading_what_is_not_loaded_is_fine():
    play = Play()

    assert play.feed(words.Expired(path=Path("/models/none"))) == []


def test_ends_of_requests_that_nobody_knows_are_harmless():
    play = Play()
    ticket = play.ask(model("a"), keep_alive_s=0)
    play.settle()
    play.leave(ticket)
    play.settle()

    play.leave(ticket)
    play.feed(words.Ticked())
    play.feed(words.Gone(load=1))
    play.feed(words.Recovered(load=1))

    assert play.loaded() == []


def test_more_requests_than_may_wait_are_refused_with_a_time_to_come_back():
    """F58."""
    play = Play(max_queue=2)
    waiting = [play.ask(model("a")) for _ in range(2)]

    refused = play.ask(model("a"))

    assert list(play.waiting) == waiting
    error = play.refused[refused]
    assert isinstance(error, Busy)
    assert error.retry_after_s >= 1


def test_requests_inside_a_full_runner_count_as_waiting():
    """F58."""
    play = Play(slots=1, max_queue=2)
    play.ask(model("a"))
    play.settle()
    for _ in range(2):
        play.ask(model("a"))

    refused = play.ask(model("a"))

    assert list(play.refused) == [refused]


def test_a_full_queue_does_not_stop_requests_that_a_runner_can_take_at_once():
    play = Play({"b": 95}, slots=4, max_queue=1)
    play.ask(model("a"))
    play.settle()
    play.ask(model("c"))

    ticket = play.ask(model("a"))

    assert ticket in play.granted


def test_no_queue_at_all_still_serves_the_request_that_begins_a_load():
    play = Play(max_queue=0)

    play.ask(model("a"))
    play.settle()

    assert len(play.granted) == 1


def test_a_model_that_fits_nowhere_is_refused_with_both_figures():
    play = Play({"a": 101})

    ticket = play.ask(model("a"))
    play.settle()

    error = play.refused[ticket]
    assert isinstance(error, NoRoom)
    assert (error.required_bytes, error.available_bytes) == (101, 100)


def test_nobody_is_unloaded_for_a_model_that_would_not_fit_alone_either():
    play = Play()
    play.leave(_ticket(play, "a"))

    ticket = play.ask(model("b"))
    play.plan(Shortage(reason="too big", required_bytes=500, available_bytes=90, is_hopeless=True))

    assert ticket in play.refused
    assert play.loaded() == ["a"]


def test_a_model_that_can_not_be_read_is_refused_with_the_reason():
    play = Play()
    error = InvalidGGUF("cut off", field="version", offset=4)

    ticket = play.ask(model("a"))
    play.plan(error)

    assert play.refused == {ticket: error}


def test_everybody_who_waits_hears_why_a_load_failed():
    play = Play()
    tickets = [play.ask(model("a")) for _ in range(3)]

    play.plan()
    play.load_fail(DIED)

    assert play.refused == dict.fromkeys(tickets, DIED)
    assert play.core.slots() == []


def test_a_failed_load_does_not_keep_others_from_theirs():
    play = Play()
    play.ask(model("a"))
    other = play.ask(model("b"))

    play.plan()
    play.load_fail(DIED)
    play.settle()

    assert other in play.granted


def test_the_request_that_began_a_load_may_leave_when_others_wait():
    """F57."""
    play = Play()
    first, second = play.ask(model("a")), play.ask(model("a"))
    play.plan()

    play.leave(first)
    play.load_ok()

    assert play.granted == {second: 1}


@pytest.mark.parametrize("phase", ["planning", "loading"])
def test_a_load_that_nobody_waits_for_any_longer_is_stopped(phase):
    """F57."""
    play = Play()
    ticket = play.ask(model("a"))
    if phase == "loading":
        play.plan()

    play.leave(ticket)
    play.settle()

    assert play.loaded() == []
    assert play.core.slots() == []


def test_victims_take_requests_again_when_nobody_wants_their_room_any_longer():
    """F57."""
    play = Play({"a": 60, "b": 60})
    play.ask(model("a"))
    play.settle()
    ticket = play.ask(model("b"))
    play.settle()
    late = play.ask(model("a"))

    play.leave(ticket)

    assert late in play.granted


def test_planning_waits_until_the_memory_of_stopped_runners_is_back():
    play = Play({"a": 60, "b": 60})
    first = play.ask(model("a"))
    play.settle()
    play.leave(first)

    play.ask(model("b"))
    play.plan()
    play.stopped()
    plans_before = dict(play.plans)
    play.recovered()

    assert plans_before == {}
    assert len(play.plans) == 1


def test_a_model_on_the_host_has_nothing_to_recover():
    play = Play({"a": 60, "b": 60}, on_gpu=False)
    first = play.ask(model("a"))
    play.settle()
    play.leave(first)

    play.ask(model("b"))
    play.plan()
    play.stopped()

    assert play.recovering == set()
    assert len(play.plans) == 1


def test_other_models_are_served_while_memory_recovers():
    play = Play({"a": 60, "b": 10, "c": 60})
    for name in ("a", "b"):
        play.ask(model(name))
        play.settle()
    play.leave(1)
    play.ask(model("c"))
    play.plan()
    play.stopped()

    ticket = play.ask(model("b"))
    play.leave(2)

    assert play.recovering
    assert ticket in play.granted


def test_running_out_of_memory_is_tried_once_more_with_less_and_everybody_else_gone():
    """F63."""
    play = Play()
    other = play.ask(model("b"))
    play.settle()
    play.leave(other)
    play.ask(model("a"))

    play.plan()
    play.load_fail(OUT_OF_MEMORY)
    play.settle()

    assert play.loaded() == ["a"]
    assert play.core.slots()[0].placement.context_tokens == 2048


def test_running_out_of_memory_twice_is_an_error():
    """F63."""
    play = Play()
    ticket = play.ask(model("a"))

    for _ in range(2):
        play.plan()
        play.load_fail(OUT_OF_MEMORY)
        while play.recovering:
            play.recovered()

    assert play.refused == {ticket: OUT_OF_MEMORY}


def test_explicit_values_are_not_changed_when_memory_runs_out():
    """F63: nothing is automatic and nobody else is loaded, so there is nothing to try."""
    play = Play()
    ticket = play.ask(model("a", num_ctx=4096))

    play.plan()
    play.load_fail(OUT_OF_MEMORY)
    play.recovered()
    play.plan()

    assert play.refused == {ticket: OUT_OF_MEMORY}
    assert play.spawns == 1


def test_running_out_of_memory_in_an_answer_retires_every_runner():
    """F64."""
    play = Play()
    tickets = [play.ask(model(name)) for name in ("a", "b")]
    play.settle()

    play.crash(play.granted[tickets[0]], out_of_memory=True)
    play.leave(tickets[1])

    assert play.loaded() == []


def test_a_shortage_that_is_over_when_it_is_told_is_not_an_error():
    play = Play({"a": 60, "b": 60})
    first = play.ask(model("a"), keep_alive_s=0)
    play.settle()
    ticket = play.ask(model("b"))
    shortage = play.verdict(next(iter(play.plans.values())))
    play.leave(first)
    play.stopped()
    play.recovered()

    play.plan(shortage)
    play.settle()

    assert isinstance(shortage, Shortage)
    assert play.granted == {ticket: play.granted[ticket]}


@pytest.mark.parametrize("requests_first", [False, True])
def test_after_a_crash_the_next_request_gets_a_fresh_runner(requests_first):
    play = Play()
    play.ask(model("a"))
    play.settle()

    play.crash(1, requests_first=requests_first)
    ticket = play.ask(model("a"))
    play.settle()

    assert play.granted == {ticket: 2}


def test_a_model_that_keeps_crashing_is_left_alone_for_longer_and_longer():
    play = Play()
    pauses = []
    for _ in range(10):
        ticket = play.ask(model("a"))
        if ticket in play.refused:
            error = play.refused[ticket]
            assert isinstance(error, Busy)
            pauses.append(error.retry_after_s)
            play.now += error.retry_after_s
            continue
        play.settle()
        play.crash(play.granted[ticket])

    assert pauses == [1, 2, 4, 8]


def test_a_model_that_fails_for_days_is_still_tried_every_minute():
    backoff = Backoff()
    for failure in range(2000):
        backoff.fail(Path("/models/a"), "it is broken", now=60.0 * failure)

    refusal = backoff.refusal(replace(model("a"), path=Path("/models/a")), now=60.0 * 1999)

    assert refusal is not None
    assert refusal.retry_after_s == 60


def test_a_runner_that_died_and_then_ends_badly_recovers_once():
    play = Play()
    play.ask(model("a"))
    play.settle()
    play.crash(1)

    play.feed(words.Failed(load=1, error=DIED))

    assert [action for action in play.log if isinstance(action, words.Recover)] == [words.Recover(load=1, placement=placed(10))]


def test_an_answer_ends_the_memory_of_crashes():
    play = Play()
    for _ in range(6):
        ticket = play.ask(model("a"))
        play.settle()
        play.crash(play.granted[ticket])
        good = play.ask(model("a"))
        play.settle()
        play.leave(good)

    assert play.refused == {}


def test_a_model_that_is_left_alone_does_not_hold_up_others():
    play = Play()
    for _ in range(3):
        play.crash(play.granted[_ticket(play, "a")])

    refused, other = play.ask(model("a")), play.ask(model("b"))
    play.settle()

    assert refused in play.refused
    assert other in play.granted


def test_no_more_models_are_loaded_than_allowed():
    play = Play(max_loaded_models=2)

    for name in "abc":
        play.leave(_ticket(play, name))

    assert play.loaded() == ["b", "c"]


def test_without_a_limit_three_models_per_gpu_are_loaded():
    play = Play()

    for name in "abcd":
        play.leave(_ticket(play, name))

    assert play.loaded() == ["b", "c", "d"]


def test_what_a_load_really_took_corrects_the_next_plan_of_that_model():
    play = Play()
    ticket = play.ask(model("a"), keep_alive_s=0)
    play.plan()
    play.loading.pop(1)
    play.ready.add(1)
    play.feed(words.Ready(load=1, info=RunnerInfo(context_tokens=4096, slots=4, memory={"CUDA0": 17})))
    taken = play.core.slot(1).taken()
    play.leave(ticket)
    play.stopped()
    play.recovered()

    play.ask(model("a"))
    play.ask(model("b"))

    assert taken[GPU.key] == 17
    assert play.plans[2].conditions.corrections == {"CUDA0": 7}


def test_memory_for_finished_answers_counts_as_taken():
    placement = replace(placed(10, on_gpu=False), parking_bytes=5)
    slot = Slot(load=1, model=model("a"), placement=placement, keep_alive_s=0)

    assert slot.taken()[HOST] == 15


def test_a_runner_that_tells_nonsense_of_its_memory_changes_no_estimate_beyond_reason():
    corrections = Corrections()

    for memory in ({"CUDA0": 10**18}, {"CUDA0": 10**18}):
        corrected = replace(placed(100), shares=(replace(placed(100).shares[0], compute_bytes=corrections.of(model("a")).get("CUDA0", 0)),))
        corrections.learn(model("a"), corrected, RunnerInfo(context_tokens=1, slots=1, memory=memory))

    assert corrections.of(model("a")) == {"CUDA0": 100}


def test_the_mapping_of_a_file_that_is_partly_on_gpus_is_not_the_hosts_memory():
    info = RunnerInfo(context_tokens=1, slots=1, memory={"CPU": 5000, "CUDA0": 30})

    assert actual_bytes(placed(10), info) == {"CUDA0": 30}
    assert actual_bytes(replace(placed(10), use_mmap=False), info) == info.memory
    assert actual_bytes(placed(10, on_gpu=False), info) == info.memory


def test_closing_refuses_who_waits_and_stops_everything():
    play = Play()
    play.ask(model("a"))
    play.settle()
    play.leave(1)
    waiting = play.ask(model("b"))

    play.feed(words.Closed())
    late = play.ask(model("a"))

    assert set(play.refused) == {waiting, late}
    assert play.stopping == {1}


def test_statistics_count_what_happened():
    play = Play({"a": 60, "b": 60})
    play.leave(_ticket(play, "a"))
    _ticket(play, "b")

    counted = play.core.statistics()

    assert counted["corral_loads_total"] == 2
    assert counted["corral_evictions_total"] == 1
    assert counted["corral_models_loaded"] == 1
    assert counted["corral_requests_active"] == 1


SIZES = {"a": 30, "b": 45, "c": 60, "d": 101}


class SchedulerMachine(RuleBasedStateMachine):
    """Any order of requests, departures, crashes, failures and jumps of the clock; `Play` checks each action."""

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(dict(SIZES), slots=2, max_queue=6)

    @rule(
        name=st.sampled_from("aabbccd"),
        keep_alive_s=st.sampled_from([None, 0.0, 5.0, 60.0, math.inf]),
        num_ctx=st.sampled_from([None, None, 1024, 2048]),
    )
    def ask(self, name, keep_alive_s, num_ctx):
        self.play.ask(model(name, num_ctx=num_ctx), keep_alive_s)

    @precondition(lambda self: self.play.waiting)
    @rule(data=st.data())
    def give_up(self, data):
        self.play.leave(data.draw(st.sampled_from(sorted(self.play.waiting))))

    @precondition(lambda self: self.play.granted)
    @rule(data=st.data())
    def finish(self, data):
        self.play.leave(data.draw(st.sampled_from(sorted(self.play.granted))))

    @precondition(lambda self: self.play.plans)
    @rule(fails=st.sampled_from([False, False, False, True]))
    def plan(self, fails):
        self.play.plan(InvalidGGUF("cut off", field="version", offset=4) if fails else None)

    @precondition(lambda self: self.play.loading)
    @rule(error=st.sampled_from([None, None, None, DIED, OUT_OF_MEMORY]))
    def load(self, error):
        if error is None:
            self.play.load_ok()
        else:
            self.play.load_fail(error)

    @precondition(lambda self: self.play.ready)
    @rule(data=st.data(), out_of_memory=st.booleans(), requests_first=st.booleans())
    def crash(self, data, out_of_memory, requests_first):
        load = data.draw(st.sampled_from(sorted(self.play.ready)))
        self.play.crash(load, out_of_memory=out_of_memory, requests_first=requests_first)

    @precondition(lambda self: self.play.stopping)
    @rule()
    def stopped(self):
        self.play.stopped()

    @precondition(lambda self: self.play.recovering)
    @rule()
    def recovered(self):
        self.play.recovered()

    @rule(seconds=st.sampled_from([0.0, 0.5, 6.0, 400.0]))
    def pass_time(self, seconds):
        self.play.pass_time(seconds)

    @rule(name=st.sampled_from("abc"))
    def expire(self, name):
        self.play.feed(words.Expired(path=model(name).path))

    @invariant()
    def nobody_waits_for_nothing(self):
        """A wake-up that got lost shows as a request that waits while nothing is under way and nobody holds a runner."""
        under_way = self.play.plans or self.play.loading or self.play.stopping or self.play.recovering
        assert under_way or self.play.granted or not self.play.waiting

    @invariant()
    def only_what_can_never_fit_is_told_so(self):
        for ticket, error in self.play.refused.items():
            assert not isinstance(error, NoRoom) or self.play.asked[ticket].name == "d"

    @invariant()
    def the_core_and_the_play_agree(self):
        slots = self.play.core.slots()
        assert {slot.load for slot in slots if slot.phase is Phase.READY} == self.play.ready
        assert {ticket for slot in slots for ticket in slot.active} == set(self.play.granted)

    @invariant()
    def memory_is_never_promised_twice(self):
        assert sum(self.play.memory.values()) <= ROOM

    @invariant()
    def nothing_outlives_its_keep_alive(self):
        assert self.play.core.next_deadline() > self.play.now or not self.play.core.slots()

    def teardown(self):
        """Let everything succeed from here on: each request is answered, and each runner can be stopped."""
        while self.play.waiting or self.play.granted:
            self.play.settle()
            for ticket in list(self.play.granted):
                self.play.leave(ticket)
        self.play.feed(words.Closed())
        self.play.settle()
        assert self.play.core.slots() == []


TestSchedulerMachine = SchedulerMachine.TestCase
TestSchedulerMachine.settings = settings(
    max_examples=150, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
