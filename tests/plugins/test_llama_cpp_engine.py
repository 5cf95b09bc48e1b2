"""The llama.cpp runner's engine over a toy model: whatever the company, an answer is what it would be alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from corral.errors import ContextExceeded, CorralError, RunnerError
from corral.events import TokenLogprob
from corral_llama_cpp.engine.limits import fit, window
from corral_llama_cpp.engine.loop import Engine
from corral_llama_cpp.engine.seams import Batch, Guesser, SamplingFailed
from corral_llama_cpp.wire import Generate, Output, Sampling

LETTERS = 6
END = 0
CONTEXT = 24


def next_token(tokens: tuple[int, ...]) -> int:
    """What the toy model says next: it depends on every token before, and repeats itself often."""
    value = 7
    for token in tokens[-4:]:
        value = (value * 31 + token) % 1009
    if sum(tokens) % 29 == 0:
        return END
    return 1 + (value + len(tokens) // 9) % (LETTERS - 1)


@dataclass
class Cell:
    position: int
    token: int
    owners: set[int]


class ToyMemory:
    """A cache with llama.cpp's rules: a cell has one position for all its owners."""

    def __init__(self, *, can_cut: bool = True) -> None:
        self.cells: list[Cell] = []
        self.can_cut = can_cut
        self.refuses = False

    def of(self, sequence: int) -> list[Cell]:
        return sorted((c for c in self.cells if sequence in c.owners), key=lambda c: c.position)

    def tokens(self, sequence: int) -> list[int]:
        cells = self.of(sequence)
        assert [c.position for c in cells] == list(range(len(cells)))
        return [c.token for c in cells]

    def remove(self, sequence: int, start: int, end: int = -1) -> bool:
        gone = [c for c in self.of(sequence) if c.position >= start and (end < 0 or c.position < end)]
        if gone and start and not self.can_cut:
            return False
        for cell in gone:
            cell.owners.discard(sequence)
        self.cells = [c for c in self.cells if c.owners]
        return True

    def copy(self, source: int, target: int, start: int, end: int) -> None:
        for cell in self.of(source):
            if start <= cell.position < end:
                cell.owners.add(target)

    def save(self, sequence: int) -> bytes:
        return bytes(self.tokens(sequence))

    def load(self, sequence: int, state: bytes) -> bool:
        assert not self.of(sequence)
        if self.refuses:
            return False
        self.cells += [Cell(position, token, {sequence}) for position, token in enumerate(state)]
        return True

    def shift(self, sequence: int, start: int, delta: int) -> None:
        for cell in self.of(sequence):
            if cell.position >= start:
                cell.position += delta


class ToySampler:
    def __init__(self, backend: ToyBackend, *, fails: bool) -> None:
        self.backend = backend
        self.fails = fails

    def sample(self, row: int) -> int:
        if self.fails:
            raise SamplingFailed("the model's logits are not finite numbers")
        return self.backend.rows[row]

    def close(self) -> None:
        pass


@dataclass
class ToyBackend:
    capacity: int
    can_cut: bool = True
    can_shift: bool = True
    batch_tokens: int = 16
    context_tokens: int = CONTEXT
    adds_bos: bool = False
    start_token: int = 1
    rows: list[int] = field(default_factory=list)
    #: Statuses of the decodes to come; a negative one leaves half of the batch in the cache, as the library may.
    failures: list[int] = field(default_factory=list)
    #: A token that can't be evaluated.
    poison: int | None = None
    guesser: Guesser | None = None
    evaluated: int = 0
    decodes: int = 0

    def __post_init__(self) -> None:
        self.memory = ToyMemory(can_cut=self.can_cut)

    def decode(self, batch: Batch) -> int:
        self.decodes += 1
        status = self.failures.pop(0) if self.failures else -3 if self.poison in batch.tokens else 0
        if len(self.memory.cells) + len(batch.tokens) > self.capacity:
            status = status or 1
        self.rows = []
        for index, (token, position, sequence) in enumerate(zip(batch.tokens, batch.positions, batch.sequences, strict=True)):
            if status > 0 or (status and index >= len(batch.tokens) // 2):
                break
            self.memory.cells.append(Cell(position, token, {sequence}))
            if index in batch.outputs:
                self.rows.append(next_token(tuple(self.memory.tokens(sequence)[: position + 1])))
        self.evaluated += len(batch.tokens)
        return status

    def sampler(self, request: Generate, prompt: list[int]) -> ToySampler:
        return ToySampler(self, fails=request.sampling.seed == 666)

    def probabilities(self, row: int, token: int, top: int) -> TokenLogprob:
        return TokenLogprob(chr(96 + token), 0.0)

    def piece(self, token: int) -> bytes:
        return bytes([96 + token])

    def is_end(self, token: int) -> bool:
        return token == END


def oracle(prompt: list[int], sampling: Sampling, *, shift: bool = True) -> tuple[str, str]:
    """Answer one request with a plain loop."""
    view = window(CONTEXT, sampling.num_keep, len(prompt), adds_bos=False)
    tokens, text = fit(prompt, view, truncate=True, shift=True), ""
    while len(text) < sampling.num_predict:
        if len(tokens) > view.size:
            if not shift:
                return text, "length"
            del tokens[view.keep : view.keep + view.discard]
        token = next_token(tuple(tokens))
        if token == END:
            return text, "stop"
        tokens.append(token)
        text += chr(96 + token)
    return text, "length"


class Bench:
    """An engine over a toy, and what its requests have got."""

    def __init__(self, backend: ToyBackend, slots: int = 3) -> None:
        self.backend = backend
        self.engine = Engine(backend, slots=slots, sequences=slots + 2, idle_cells=backend.capacity // 4, parking_bytes=200, fail=self.fail)
        self.failed: dict[int, CorralError] = {}
        self.text: dict[int, str] = {}
        self.ends: dict[int, Output] = {}
        self.ids = 0

    def ask(self, prompt: list[int], *, shift: bool = True, truncate: bool = True, **options: object) -> int:
        self.ids += 1
        self.text[self.ids] = ""
        request = Generate(self.ids, (), Sampling(**options), shift=shift, truncate=truncate)
        self.engine.submit(request, list(prompt))
        return self.ids

    def step(self) -> None:
        for output in self.engine.step():
            self.text[output.id] += output.text
            if output.end:
                self.ends[output.id] = output

    def run(self) -> None:
        for _ in range(2000):
            if self.engine.is_idle:
                return
            self.step()
        raise AssertionError("the engine does not come to an end")

    def fail(self, id_: int, error: CorralError) -> None:
        self.failed[id_] = error

    def result(self, id_: int) -> tuple[str, str]:
        return self.text[id_], self.ends[id_].end.reason

    def check(self) -> None:
        """The book says what the cache holds, no more and no less."""
        noted = {s.id: s.tokens for s in self.engine.cells.sequences}
        held = {owner for cell in self.backend.memory.cells for owner in cell.owners}
        assert held <= set(noted)
        for id_, tokens in noted.items():
            assert self.backend.memory.tokens(id_) == tokens
        assert self.engine.cells.used == len(self.backend.memory.cells)


def bench(slots: int = 3, **options: object) -> Bench:
    return Bench(ToyBackend(capacity=CONTEXT * slots, **options), slots)


BASE = [1, 2, 3, 1, 1, 2, 2, 3, 3, 1, 3, 2, 1, 2, 1, 3, 2, 2, 1, 1, 3, 1, 2]
PROMPT = st.builds(
    lambda length, tail: BASE[:length] + tail, st.sampled_from([0, 5, 17, 20, 22]), st.lists(st.integers(1, 3), min_size=1, max_size=8)
)


class Company(RuleBasedStateMachine):
    """Requests come, go, share, slide, fail; each answer is the oracle's, and the book is always true."""

    can_cut = True
    can_shift = True

    def __init__(self) -> None:
        super().__init__()
        self.bench = bench(can_cut=self.can_cut, can_shift=self.can_shift)
        self.expected: dict[int, tuple[str, str]] = {}

    @rule(
        prompt=PROMPT, num_predict=st.integers(1, 40), num_keep=st.integers(-1, 6), shift=st.booleans(), draft=st.sampled_from([-1, 0, 3])
    )
    def ask(self, prompt, num_predict, num_keep, shift, draft):
        sampling = Sampling(num_predict=num_predict, num_keep=num_keep, draft_num_predict=draft)
        if len(prompt) > CONTEXT:
            shift = True
        options = {"num_predict": num_predict, "num_keep": num_keep, "draft_num_predict": draft}
        id_ = self.bench.ask(prompt, shift=shift, **options)
        self.expected[id_] = oracle(prompt, sampling, shift=shift)

    @rule(count=st.integers(1, 8))
    def step(self, count):
        for _ in range(count):
            self.bench.step()

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def cancel(self, data):
        id_ = data.draw(st.sampled_from(sorted(self.expected)))
        self.bench.engine.cancel(id_)
        self.bench.check()

    @rule()
    def refuse_what_was_parked(self):
        self.bench.backend.memory.refuses = not self.bench.backend.memory.refuses

    @rule(status=st.sampled_from([1, -1, -3]))
    def break_a_decode(self, status):
        self.bench.backend.failures = [status]

    @invariant()
    def the_book_is_true(self):
        self.bench.check()
        assert not self.bench.failed

    @invariant()
    def answers_are_the_oracles(self):
        for id_ in self.bench.ends:
            assert self.bench.result(id_) == self.expected[id_]

    def teardown(self):
        self.bench.run()
        self.the_book_is_true()
        self.answers_are_the_oracles()


class UncuttableCompany(Company):
    can_cut = False


class UnshiftableCompany(Company):
    can_shift = False


QUICK = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestCompany = Company.TestCase
TestCompany.settings = QUICK
TestUncuttableCompany = UncuttableCompany.TestCase
TestUncuttableCompany.settings = QUICK
TestUnshiftableCompany = UnshiftableCompany.TestCase
TestUnshiftableCompany.settings = QUICK


def test_a_burst_with_a_new_common_prefix_computes_it_once():
    table = bench(slots=4, context_tokens=64)
    prefix = [1 + i % 4 for i in range(40)]
    ids = [table.ask([*prefix, 5, 1 + n], num_predict=2) for n in range(4)]
    table.run()
    assert set(table.ends) == set(ids)
    assert sum(output.end.usage.cached_tokens for output in table.ends.values()) == 3 * 41
    assert table.backend.evaluated < len(prefix) + 4 * 8


def test_the_next_turn_evaluates_its_new_tokens_only():
    table = bench()
    first = table.ask([1, 2, 3, 1, 2], num_predict=3)
    table.run()
    said = list(table.ends[first].end.tokens)
    second = table.ask([*said, 2, 2], num_predict=1)
    table.run()
    assert table.ends[second].end.usage.cached_tokens == len(said) - 1


def test_an_abandoned_leader_does_not_hold_up_who_waits_for_its_prefix():
    table = bench(slots=2, context_tokens=64, batch_tokens=8)
    prefix = [1 + i % 4 for i in range(40)]
    first, second = table.ask([*prefix, 1], num_predict=1), table.ask([*prefix, 2], num_predict=1)
    table.step()
    table.engine.cancel(first)
    table.run()
    assert second in table.ends
    assert table.ends[second].end.usage.cached_tokens >= 8


def test_what_had_to_leave_the_cache_is_parked_and_comes_back():
    table = bench(slots=1, context_tokens=128, batch_tokens=128)
    table.backend.capacity = 128
    first = [1 + i % 4 for i in range(60)]
    for prompt in (first, [2] * 60, [3] * 60):
        table.ask(prompt, num_predict=1)
        table.run()
    again = table.ask([*first, 5], num_predict=1)
    table.run()
    assert table.ends[again].end.usage.cached_tokens == len(first)
    table.check()


class ToyGuesser:
    """Guesses right but for every third token."""

    def __init__(self) -> None:
        self.forgotten: list[int] = []

    def guess(self, answer: int, tokens: list[int], length: int) -> list[int]:
        guessed = list(tokens)
        for _ in range(length):
            guessed.append(next_token(tuple(guessed)) if len(guessed) % 3 else 5)
        return guessed[len(tokens) :]

    def forget(self, answer: int) -> None:
        self.forgotten.append(answer)


def test_a_draft_model_changes_the_speed_and_not_the_text():
    guesser = ToyGuesser()
    table = bench(guesser=guesser)
    id_ = table.ask([2, 2, 3], num_predict=18)
    table.run()
    assert table.result(id_) == oracle([2, 2, 3], Sampling(num_predict=18))
    assert 0 < table.ends[id_].end.usage.accepted_tokens < table.ends[id_].end.usage.draft_tokens
    assert guesser.forgotten == [id_]


def test_a_decode_that_fails_for_one_request_fails_that_one_only():
    """F45: an error in the middle of a stream."""
    table = bench(poison=9)
    good = table.ask([1, 2, 3], num_predict=8)
    table.step()
    bad = table.ask([1, 2, 9], num_predict=8)
    table.run()
    assert isinstance(table.failed[bad], RunnerError)
    assert table.result(good) == oracle([1, 2, 3], Sampling(num_predict=8))
    table.check()


def test_logits_that_are_no_numbers_fail_their_request_only():
    table = bench()
    bad, good = table.ask([1, 2], num_predict=4, seed=666), table.ask([2, 1], num_predict=4)
    table.run()
    assert "finite" in str(table.failed[bad])
    assert table.result(good) == oracle([2, 1], Sampling(num_predict=4))
    table.check()


def test_a_prompt_that_does_not_fit_is_refused_with_its_counts():
    table = bench()
    id_ = table.ask([1] * (CONTEXT + 5), truncate=False)
    error = table.failed[id_]
    assert isinstance(error, ContextExceeded)
    assert (error.tokens, error.context) == (CONTEXT + 5, CONTEXT)


def test_a_full_window_is_told_to_the_client():
    table = bench()
    request = Generate(1, (), Sampling(num_predict=60, num_keep=2))
    table.engine.submit(request, [2, 2, 3])
    codes = []
    while not table.engine.is_idle:
        codes += [note.code for output in table.engine.step() for note in output.notes]
    expected = oracle([2, 2, 3], Sampling(num_predict=60, num_keep=2))
    assert ("context_shifted" in codes) == (len(expected[0]) > CONTEXT - 3)


@pytest.mark.parametrize("phase", ["waiting", "prompt", "answer"])
def test_a_cancelled_request_gives_its_place_back_at_once(phase):
    table = bench(slots=1, batch_tokens=4)
    first = table.ask([1, 2, 3, 1, 2, 3], num_predict=30)
    steps = {"waiting": 0, "prompt": 1, "answer": 4}[phase]
    for _ in range(steps):
        table.step()
    table.engine.cancel(first)
    assert table.engine.is_idle
    second = table.ask([1, 1], num_predict=1)
    table.step()
    assert second in table.ends


def test_nothing_is_generated_when_nothing_was_asked_for():
    table = bench()
    id_ = table.ask([1, 2, 3], num_predict=0)
    table.run()
    assert table.result(id_) == ("", "length")


def test_an_empty_prompt_starts_from_the_models_own_first_token():
    table = bench()
    id_ = table.ask([], num_predict=3)
    table.run()
    assert table.result(id_) == oracle([1], Sampling(num_predict=3))


def test_a_long_prompt_does_not_stop_a_running_answer():
    table = bench(slots=2, context_tokens=512, batch_tokens=64)
    running = table.ask([1, 2, 3], num_predict=40)
    table.step()
    table.ask([2] * 400, num_predict=1)
    before = len(table.text[running])
    table.step()
    assert len(table.text[running]) > before or running in table.ends
