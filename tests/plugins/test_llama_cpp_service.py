"""What the two ends of the llama.cpp runner's channel do, with neither a process nor a model between them."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from corral.conversation import Prompt, Segment, SegmentKind
from corral.errors import ContextExceeded, RunnerDied
from corral.events import Usage
from corral.runners import Done, Generation, Piece
from corral_llama_cpp.runner import LlamaRunner
from corral_llama_cpp.service import Service
from corral_llama_cpp.wire import Cancel, Embed, End, Failed, Generate, Loaded, Output, Step, Vectors

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

    from corral.workers import Worker
    from corral_llama_cpp.native.loading import Loaded as LoadedModel
    from corral_llama_cpp.wire import Reply


class PaperWorker:
    """A process that hears everything and says nothing."""

    pid = 1

    def __init__(self) -> None:
        self.heard: list[msgspec.Struct] = []
        self.has_heard = asyncio.Event()
        self.is_gone = False
        self.work: set[int] = set()
        self.says: list[Reply] = []

    def give(self, work: int) -> None:
        self.work.add(work)

    def settle(self, work: int) -> None:
        self.work.discard(work)

    async def send(self, request: msgspec.Struct) -> None:
        self.post(request)

    def post(self, request: msgspec.Struct) -> None:
        if self.is_gone:
            raise RunnerDied("it is gone")
        self.heard.append(request)
        self.has_heard.set()

    def hand_over(self, take: Callable[[Reply], None]) -> None:
        for reply in self.says:
            take(reply)

    async def wait_closed(self) -> str:
        return ""


@pytest.mark.parametrize("is_gone", [False, True])
async def test_vectors_that_nobody_waits_for_are_cancelled(is_gone: bool) -> None:
    worker = PaperWorker()
    runner = LlamaRunner(cast("Worker[Reply]", worker), Loaded(context_tokens=8, slots=1))
    asking = asyncio.ensure_future(runner.embed(["a", "b"]))
    await worker.has_heard.wait()
    worker.is_gone = is_gone

    asking.cancel()
    await asyncio.wait([asking])

    assert asking.cancelled()
    assert worker.heard[1:] == ([] if is_gone else [Cancel(1)])
    assert not worker.work


async def test_an_answer_that_waits_for_a_slow_client_is_no_work_of_the_child() -> None:
    """F42, F48: the child is done long before the client has read it all; it is not taken for hung, and what comes late is nothing."""
    worker = PaperWorker()
    runner = LlamaRunner(cast("Worker[Reply]", worker), Loaded(context_tokens=8, slots=1))
    answer = runner.generate(Generation(prompt=Prompt(segments=(Segment("x"),))))
    reading = asyncio.ensure_future(anext(answer))
    await worker.has_heard.wait()
    assert worker.work == {1}
    worker.says = [Step((Output(1, "half"),)), Step((Output(1, "", End("stop", Usage())),)), Step((Output(1, "too late"),))]

    await runner.listen()

    assert not worker.work
    assert [await reading, *[part async for part in answer]] == [Piece("half"), Done(reason="stop", usage=Usage())]


class FullCache:
    """An engine whose running answers leave no room for `steps` steps."""

    def __init__(self, steps: int) -> None:
        self.steps_left = steps
        self.cells = SimpleNamespace(reserve=lambda tokens: self.steps_left == 0)

    @property
    def is_idle(self) -> bool:
        return self.steps_left == 0

    def step(self) -> tuple[()]:
        self.steps_left = max(0, self.steps_left - 1)
        return ()

    def rest(self) -> bool:
        return False


def test_a_pause_is_used_until_the_next_request_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corral_llama_cpp.service.PAUSE_S", 0.0)
    deeds: list[str] = []

    def rest() -> bool:
        deeds.append("rest")
        if len(deeds) == 3:
            service.take(Cancel(7))
        return True

    service = _service(SimpleNamespace(is_idle=True, takes_checkpoints=False, cancel=lambda id_: deeds.append("work"), rest=rest))

    service.work_off()

    assert deeds == ["rest", "rest", "rest", "work"]


def test_who_asks_again_at_once_does_not_wait_for_what_a_pause_is_for() -> None:
    deeds: list[str] = []
    engine = SimpleNamespace(
        is_idle=True, takes_checkpoints=False, cancel=lambda id_: deeds.append("work"), rest=lambda: deeds.append("rest")
    )
    service = _service(engine)
    service.take(Cancel(6))
    service.take(Cancel(7))

    service.work_off()
    service.work_off()

    assert deeds == ["work", "work"]


def _service(engine: SimpleNamespace) -> Service:
    loaded = SimpleNamespace(engine=lambda fail: engine, busy=nullcontext, model=SimpleNamespace(vocabulary=None))
    return Service(cast("LoadedModel", loaded), print)


class PaperEmbedder:
    """Gives each job one vector, in one step."""

    width = 1

    def job(self, id_: int, inputs: tuple[str, ...], *, truncate: bool) -> SimpleNamespace:
        return SimpleNamespace(id=id_, is_over=False, held=0, next_tokens=len(inputs), vectors=[], prompt_tokens=len(inputs), notes=())

    def advance(self, job: SimpleNamespace) -> None:
        job.vectors.append(b"four")
        job.is_over = True


@pytest.mark.parametrize("steps", [0, 3])
def test_an_embedding_waits_for_room_in_a_full_cache_instead_of_failing(steps: int) -> None:
    engine, said = FullCache(steps), []
    loaded = SimpleNamespace(
        engine=lambda fail: engine,
        embedder=PaperEmbedder(),
        model=SimpleNamespace(vocabulary=None),
        busy=nullcontext,
        share_cores=lambda: None,
    )
    service = Service(cast("LoadedModel", loaded), said.append)
    service.take(Embed(7, ("a",)))

    service.work_off()

    assert (said, engine.steps_left) == ([Vectors(7, 1, b"four", 1)], 0)


@pytest.mark.parametrize(("context", "prompt"), [((), [1, 5]), ((1, 4), [1, 4, 5])])
def test_an_answer_that_is_continued_has_one_beginning(context: tuple[int, ...], prompt: list[int]) -> None:
    submitted: list[list[int]] = []
    engine = SimpleNamespace(
        is_idle=True, rest=lambda: False, takes_checkpoints=False, submit=lambda _, tokens, turn: submitted.append(tokens)
    )
    vocabulary = SimpleNamespace(bos=1, adds_bos=True, holds=lambda _: True, tokens=lambda _: [1, 5])
    loaded = SimpleNamespace(
        engine=lambda fail: engine,
        load=SimpleNamespace(is_embedding=False),
        model=SimpleNamespace(vocabulary=vocabulary),
        busy=nullcontext,
    )
    service = Service(cast("LoadedModel", loaded), lambda _: None)
    service.take(Generate(1, (), context=context))

    service.work_off()

    assert submitted == [prompt]


@pytest.mark.parametrize(
    ("segments", "turn"),
    [
        ([Segment("<|user|>"), Segment("abcdef", SegmentKind.USER), Segment("<|end|>")], 6),
        ([Segment("ab", SegmentKind.USER), Segment("cd"), Segment("efg", SegmentKind.USER), Segment("h")], 2),
        ([Segment("a", SegmentKind.USER)], 0),
        ([Segment("control only")], 0),
    ],
)
def test_the_engine_is_told_where_the_last_message_begins(segments: list[Segment], turn: int) -> None:
    submitted: list[int] = []
    engine = SimpleNamespace(
        is_idle=True, rest=lambda: False, takes_checkpoints=True, submit=lambda _, tokens, turn: submitted.append(turn)
    )
    vocabulary = SimpleNamespace(
        bos=0, adds_bos=False, holds=lambda _: True, tokens=lambda segments: list("".join(s.text for s in segments))
    )
    loaded = SimpleNamespace(
        engine=lambda fail: engine,
        load=SimpleNamespace(is_embedding=False),
        model=SimpleNamespace(vocabulary=vocabulary),
        busy=nullcontext,
    )
    service = Service(cast("LoadedModel", loaded), lambda _: None)
    service.take(Generate(1, tuple(segments)))

    service.work_off()

    assert submitted == [turn]


def test_an_input_that_is_too_long_is_refused_before_the_decoding_thread_hears_of_it() -> None:
    def refuse(id_: int, inputs: tuple[str, ...], *, truncate: bool) -> None:
        raise ContextExceeded(tokens=9, context=8)

    said: list[Reply] = []
    loaded = SimpleNamespace(engine=lambda fail: None, embedder=SimpleNamespace(job=refuse), model=SimpleNamespace(vocabulary=None))

    Service(cast("LoadedModel", loaded), said.append).take(Embed(7, ("a",), truncate=False))

    (failed,) = said
    assert isinstance(failed, Failed)
    assert (failed.id, failed.kind, failed.figures) == (7, "ContextExceeded", {"tokens": 9, "context": 8})
