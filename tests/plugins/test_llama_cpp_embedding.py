"""How inputs to embed share decodes and the cache with answers, without a model."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from corral.errors import RunnerError
from corral_llama_cpp.native.embedding import Embedder
from corral_llama_cpp.service import Service
from corral_llama_cpp.wire import Cancel, Embed, Failed, Vectors

if TYPE_CHECKING:
    from corral_llama_cpp.engine.seams import Batch
    from corral_llama_cpp.native.context import Context
    from corral_llama_cpp.native.loading import Loaded
    from corral_llama_cpp.native.model import Model
    from corral_llama_cpp.wire import Reply

FIRST, SEQUENCES, BATCH = 4, 2, 8


class PaperContext:
    """A context whose vectors say which token they are of; it keeps what it decoded, and what its cache holds of each sequence."""

    batch_tokens = BATCH
    is_ranking = is_pooling = False
    is_splittable = True

    def __init__(self) -> None:
        self.decodes: list[list[tuple[int, int, int]]] = []
        self.held: dict[int, int] = {}
        self.memory = SimpleNamespace(remove=lambda sequence, start: self.held.pop(sequence, None))
        self.status = 0

    def embed(self, *, on: bool) -> None: ...

    def decode(self, batch: Batch) -> int:
        self.decodes.append(list(zip(batch.sequences, batch.positions, batch.tokens, strict=True)))
        for sequence, position, _ in self.decodes[-1]:
            assert position == self.held.get(sequence, 0)
            self.held[sequence] = position + 1
        return self.status

    def embedding(self, index: int) -> np.ndarray:
        return np.array(self.decodes[-1][index], np.float32)


def tokens(text: str) -> list[int]:
    return [ord(char) for char in text]


@pytest.fixture
def context() -> PaperContext:
    return PaperContext()


@pytest.fixture
def embedder(context: PaperContext) -> Embedder:
    vocabulary = SimpleNamespace(whole_input=tokens, start_token=0, end=-1)
    model = SimpleNamespace(vocabulary=vocabulary, width=3)
    return Embedder(cast("Context", context), cast("Model", model), limit=100, first=FIRST, sequences=SEQUENCES)


def vectors(data: bytes) -> list[tuple[float, ...]]:
    return [tuple(vector) for vector in np.frombuffer(data, "<f4").reshape(-1, 3)]


def test_short_inputs_share_a_batch_and_long_ones_take_several(context: PaperContext, embedder: Embedder) -> None:
    job = embedder.job(1, ("ab", "", "abc", "a" * 19 + "z", "b"), truncate=False)
    sizes = []
    while not job.is_over:
        embedder.advance(job)
        sizes.append((len(context.decodes[-1]), job.held))

    assert sizes == [(3, 0), (3, 0), (8, 8), (8, 16), (4, 0), (1, 0)]
    assert vectors(b"".join(job.vectors)) == [
        (FIRST, 1, ord("b")), (FIRST + 1, 0, 0), (FIRST, 2, ord("c")), (FIRST, 19, ord("z")), (FIRST, 0, ord("b")),
    ]  # fmt: skip
    assert not context.held
    assert job.prompt_tokens == 2 + 1 + 3 + 20 + 1


def test_a_decode_that_fails_leaves_nothing_in_the_cache(context: PaperContext, embedder: Embedder) -> None:
    job = embedder.job(1, ("a" * 20,), truncate=False)
    embedder.advance(job)
    context.status = -3

    with pytest.raises(RunnerError, match="llama_decode says -3"):
        embedder.advance(job)

    assert (context.held, job.held) == ({}, 0)


class Book:
    """A cache of 40 cells, of which answers use some."""

    def __init__(self) -> None:
        self.used = self.held = 0

    def reserve(self, cells: int) -> bool:
        return 40 - self.used - self.held >= cells


class Answers:
    """An engine whose answers use so many cells after each step; it is idle after the last one."""

    def __init__(self, used: list[int]) -> None:
        self.cells = Book()
        self.cancelled: list[int] = []
        self._used = used

    @property
    def is_idle(self) -> bool:
        return not self._used

    def step(self) -> tuple[()]:
        self.cells.used = self._used.pop(0) if self._used else 0
        # An answer that finds no cell fails.
        assert self.cells.used + self.cells.held <= 40
        return ()

    def cancel(self, id_: int) -> None:
        self.cancelled.append(id_)

    def rest(self) -> bool:
        return False


def work_off(embedder: Embedder, engine: Answers, *requests: object) -> list[Reply]:
    said: list[Reply] = []
    loaded = SimpleNamespace(
        engine=lambda fail: engine,
        embedder=embedder,
        load=SimpleNamespace(batch_tokens=BATCH),
        model=SimpleNamespace(vocabulary=None),
        busy=nullcontext,
        share_cores=lambda: None,
    )
    service = Service(cast("Loaded", loaded), said.append)
    for request in requests:
        service.take(request)
    service.work_off()
    return said


def test_a_long_input_makes_way_for_answers_and_begins_again(context: PaperContext, embedder: Embedder) -> None:
    """It holds 16 cells when the answers, which use 20 of the 40, may need 8 in the next step."""
    engine = Answers([4, 20, 24, 30])

    (reply,) = work_off(embedder, engine, Embed(7, ("a" * 19 + "z",)))

    assert isinstance(reply, Vectors)
    assert vectors(reply.data) == [(FIRST, 19, ord("z"))]
    assert [decode[0][1] for decode in context.decodes] == [0, 8, 0, 8, 16]
    assert (context.held, engine.cells.held) == ({}, 0)


def test_what_is_cancelled_in_the_middle_gives_its_cells_back(context: PaperContext, embedder: Embedder) -> None:
    engine = Answers([])

    said = work_off(embedder, engine, Embed(7, ("a" * 20,)), Cancel(7), Embed(8, ("b",)))

    assert [reply.id for reply in said] == [8]
    assert engine.cancelled == [7]
    assert (context.held, engine.cells.held) == ({}, 0)


def test_an_input_that_fails_holds_nothing_and_the_next_one_goes_on(context: PaperContext, embedder: Embedder) -> None:
    engine = Answers([])
    decode = context.decode

    def fail_once(batch: Batch) -> int:
        status = decode(batch)
        return -3 if len(context.decodes) == 2 else status

    context.decode = fail_once  # type: ignore[method-assign]

    failed, done = work_off(embedder, engine, Embed(7, ("a" * 20,)), Embed(8, ("b",)))

    assert isinstance(failed, Failed)
    assert (failed.id, failed.kind, done.id) == (7, "RunnerError", 8)
    assert (context.held, engine.cells.held) == ({}, 0)
