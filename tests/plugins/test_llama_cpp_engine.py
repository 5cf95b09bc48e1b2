"""The llama.cpp runner's engine over a toy model: whatever the company, an answer is what it would be alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from corral.errors import ContextExceeded, CorralError, RunnerError
from corral.events import TokenLogprob
from corral_llama_cpp.engine import loop
from corral_llama_cpp.engine.checkpoints import TAIL, Checkpoint, marks, merged, thinned, total_bytes
from corral_llama_cpp.engine.limits import fit, window
from corral_llama_cpp.engine.loop import Engine
from corral_llama_cpp.engine.seams import Batch, Cut, Guesser, SamplingFailed
from corral_llama_cpp.wire import Generate, Output, Sampling

LETTERS = 6
END = 0
CONTEXT = 24
WINDOW = 5


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
    """A cache with llama.cpp's rules: a cell has one position for all its owners, and there may be states beside the cells."""

    def __init__(self, cut: Cut) -> None:
        self.cells: list[Cell] = []
        self.has_states = cut in (Cut.AT_CHECKPOINTS, Cut.NOWHERE)
        #: The tokens that have gone into the state of each sequence; it can't forget one.
        self.states: dict[int, list[int]] = {}
        #: From which position on a sliding window still has the tokens of each sequence.
        self.starts: dict[int, int] = {}
        self.refuses = False
        self.saves = 0
        self.bytes_per_token = 1

    def of(self, sequence: int) -> list[Cell]:
        return sorted((c for c in self.cells if sequence in c.owners), key=lambda c: c.position)

    def tokens(self, sequence: int) -> list[int]:
        cells = self.of(sequence)
        assert [c.position for c in cells] == list(range(len(cells)))
        return [c.token for c in cells]

    def remove(self, sequence: int, start: int, end: int = -1) -> bool:
        gone = [c for c in self.of(sequence) if c.position >= start and (end < 0 or c.position < end)]
        if self.has_states and start and len(self.states.get(sequence, ())) > start:
            return False
        if not start and end < 0:
            self.states.pop(sequence, None)
            self.starts.pop(sequence, None)
        for cell in gone:
            cell.owners.discard(sequence)
        self.cells = [c for c in self.cells if c.owners]
        return True

    def copy(self, source: int, target: int, start: int, end: int) -> None:
        for cell in self.of(source):
            if start <= cell.position < end:
                cell.owners.add(target)
        self.states[target] = list(self.states.get(source, ()))
        if not start:
            self.starts[target] = self.starts.get(source, 0)

    def state_bytes(self, sequence: int) -> int:
        return len(self.tokens(sequence)) * self.bytes_per_token

    def save(self, sequence: int) -> bytes:
        self.saves += 1
        return bytes(self.tokens(sequence))

    def reaches_back(self, sequence: int, length: int) -> bool:
        return self.starts.get(sequence, 0) <= max(length - WINDOW, 0)

    def checkpoint(self, sequence: int) -> bytes:
        return bytes(self.states[sequence])

    def restore(self, sequence: int, state: bytes) -> bool:
        if self.refuses:
            self.states.pop(sequence, None)
            return False
        self.states[sequence] = list(state)
        return True

    def forget_the_distant(self) -> None:
        """Give the cells that no window reaches to others, as the library may in any decode."""
        for sequence in {owner for cell in self.cells for owner in cell.owners}:
            self.starts[sequence] = max(self.starts.get(sequence, 0), len(self.of(sequence)) - WINDOW)

    def load(self, sequence: int, state: bytes) -> bool:
        assert not self.of(sequence)
        if self.refuses:
            return False
        self.cells += [Cell(position, token, {sequence}) for position, token in enumerate(state)]
        self.states[sequence] = list(state)
        self.starts[sequence] = max(len(state) - WINDOW, 0)
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
    cut: Cut = Cut.ANYWHERE
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
        self.memory = ToyMemory(self.cut)

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
            self.memory.states.setdefault(sequence, []).append(token)
            if index in batch.outputs:
                self.rows.append(self.next_token(sequence, position))
        self.evaluated += len(batch.tokens)
        return status

    def next_token(self, sequence: int, position: int) -> int:
        tokens = self.memory.tokens(sequence)[: position + 1]
        assert not self.memory.has_states or self.memory.states[sequence] == tokens
        assert self.cut is not Cut.IN_REACH or self.memory.reaches_back(sequence, position)
        return next_token(tuple(tokens))

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

    def __init__(self, backend: ToyBackend, slots: int = 3, budget: int = 200) -> None:
        self.backend = backend
        self.budget = budget
        self.engine = Engine(
            backend,
            slots=slots,
            sequences=slots + 2,
            idle_cells=backend.capacity // 4,
            parking_bytes=budget,
            spacing=3,
            apart_cells=backend.capacity // 8,
            fail=self.fail,
        )
        self.failed: dict[int, CorralError] = {}
        self.text: dict[int, str] = {}
        self.ends: dict[int, Output] = {}
        self.ids = 0

    def ask(self, prompt: list[int], *, shift: bool = True, truncate: bool = True, turn: int = 0, **options: object) -> int:
        self.ids += 1
        self.text[self.ids] = ""
        request = Generate(self.ids, (), Sampling(**options), shift=shift, truncate=truncate)
        self.engine.submit(request, list(prompt), turn)
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

    def rest(self) -> int:
        """Use a pause to its end; each sequence is worth one deed at most."""
        for deeds in range(len(self.engine.cells.sequences) + 1):
            if not self.engine.rest():
                return deeds
        raise AssertionError("the engine does not come to rest")

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
            assert not self.backend.memory.has_states or self.backend.memory.states.get(id_, []) == tokens
        assert self.engine.cells.used == len(self.backend.memory.cells)
        for sequence in self.engine.cells.sequences:
            for checkpoint in sequence.checkpoints:
                assert list(checkpoint.state) == sequence.tokens[: checkpoint.length]
        checkpoints = [c for s in self.engine.cells.sequences for c in s.checkpoints]
        assert total_bytes(checkpoints) <= self.budget // 2


def bench(slots: int = 3, budget: int = 200, **options: object) -> Bench:
    context = options.setdefault("context_tokens", CONTEXT)
    return Bench(ToyBackend(capacity=context * slots, **options), slots, budget)


BASE = [1, 2, 3, 1, 1, 2, 2, 3, 3, 1, 3, 2, 1, 2, 1, 3, 2, 2, 1, 1, 3, 1, 2]
PROMPT = st.builds(
    lambda length, tail: BASE[:length] + tail, st.sampled_from([0, 5, 17, 20, 22]), st.lists(st.integers(1, 3), min_size=1, max_size=8)
)


class Company(RuleBasedStateMachine):
    """Requests come, go, share, slide, fail; each answer is the oracle's, and the book is always true."""

    cut = Cut.ANYWHERE
    can_shift = True
    budget = 200

    def __init__(self) -> None:
        super().__init__()
        self.bench = bench(budget=self.budget, cut=self.cut, can_shift=self.can_shift)
        self.expected: dict[int, tuple[str, str]] = {}

    @rule(
        prompt=PROMPT,
        num_predict=st.integers(1, 40),
        num_keep=st.integers(-1, 6),
        shift=st.booleans(),
        draft=st.sampled_from([-1, 0, 3]),
        turn=st.integers(0, 24),
    )
    def ask(self, prompt, num_predict, num_keep, shift, draft, turn):
        sampling = Sampling(num_predict=num_predict, num_keep=num_keep, draft_num_predict=draft)
        if len(prompt) > CONTEXT:
            shift = True
        options = {"num_predict": num_predict, "num_keep": num_keep, "draft_num_predict": draft}
        id_ = self.bench.ask(prompt, shift=shift, turn=turn, **options)
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
    def rest(self):
        self.bench.rest()
        assert not self.bench.engine.rest()

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


class SlidingCompany(Company):
    cut = Cut.IN_REACH

    @rule()
    def forget_the_distant(self):
        self.bench.backend.memory.forget_the_distant()


class StatefulCompany(Company):
    cut = Cut.AT_CHECKPOINTS
    #: So little that checkpoints drive each other out, and the longest don't fit.
    budget = 42


class UncuttableCompany(Company):
    cut = Cut.NOWHERE


class UnshiftableCompany(Company):
    can_shift = False


class ApartCompany(Company):
    """Answers and prompts are evaluated apart whenever both are there."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(loop, "BLOCK_ROWS", 2)

    def teardown(self) -> None:
        super().teardown()
        self.patch.undo()


QUICK = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestCompany = Company.TestCase
TestCompany.settings = QUICK
TestSlidingCompany = SlidingCompany.TestCase
TestSlidingCompany.settings = QUICK
TestStatefulCompany = StatefulCompany.TestCase
TestStatefulCompany.settings = QUICK
TestUncuttableCompany = UncuttableCompany.TestCase
TestUncuttableCompany.settings = QUICK
TestUnshiftableCompany = UnshiftableCompany.TestCase
TestUnshiftableCompany.settings = QUICK
TestApartCompany = ApartCompany.TestCase
TestApartCompany.settings = QUICK


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
    first = [1 + i % 4 for i in range(60)]
    for prompt in (first, [2] * 60, [3] * 60):
        table.ask(prompt, num_predict=1)
        table.run()
    again = table.ask([*first, 5], num_predict=1)
    table.run()
    assert table.ends[again].end.usage.cached_tokens == len(first)
    table.check()


@pytest.mark.parametrize(("budget", "left"), [(1000, 0), (0, 101)], ids=["parked", "nowhere to park it"])
def test_the_last_answer_makes_way_for_a_running_one_unless_it_would_be_lost(budget, left):
    table = bench(slots=2, context_tokens=128, batch_tokens=128, budget=budget)
    first = [1 + i % 4 for i in range(100)]
    cached(table, first)
    assert table.engine.cells.used == 101
    table.ask([5] * 30, num_predict=20)
    table.step()
    assert table.engine.cells.used == left + 30
    assert cached(table, [*first, 5]) >= len(first)


def test_what_the_next_answer_would_push_out_is_copied_while_nobody_waits():
    table = bench(slots=2, context_tokens=128, batch_tokens=128, budget=1000)
    first, second = [1 + i % 4 for i in range(50)], [3 - i % 3 for i in range(60)]
    cached(table, first)
    table.ask(second, num_predict=20)
    table.step()
    assert not table.engine.rest()
    table.run()
    deeds = table.rest()
    table.check()
    before = table.backend.memory.saves
    table.ask([5] * 30, num_predict=20)
    table.step()

    assert (deeds, before, table.backend.memory.saves, table.engine.cells.used) == (2, 2, 2, 30)
    assert cached(table, [*first, 5]) >= len(first)


def test_a_copy_that_was_made_early_gives_way_to_one_of_the_whole_chat():
    table = bench(slots=1, context_tokens=256, batch_tokens=256, budget=1000)
    chat = [1 + i % 4 for i in range(100)]
    for turn in ([], [1 + i % 3 for i in range(30)]):
        chat += turn
        table.ask(chat, num_predict=1)
        table.run()
        table.rest()
    cached(table, [5] * 80)

    assert cached(table, [*chat, 5, 5]) >= len(chat)


def test_no_copy_is_pushed_out_by_one_that_is_made_early():
    table = bench(slots=1, context_tokens=128, batch_tokens=128, budget=100)
    first, second = [1 + i % 4 for i in range(50)], [3 - i % 3 for i in range(60)]
    cached(table, first)
    table.rest()
    cached(table, second)
    before = table.backend.memory.saves

    assert (table.rest(), table.backend.memory.saves) == (0, before)
    assert cached(table, [*first, 5]) >= len(first)


def test_an_answer_that_is_over_makes_way_for_those_that_still_run():
    table = bench(slots=2, context_tokens=128, batch_tokens=128, budget=1000)
    table.ask([1 + i % 4 for i in range(70)], num_predict=2)
    running = table.ask([5] * 30, num_predict=20)
    while not table.ends:
        table.step()
    table.step()

    assert running not in table.ends
    assert [s.is_busy for s in table.engine.cells.sequences] == [True]


@pytest.mark.parametrize(("budget", "bytes_per_token", "tokens"), [(1000, 2**20, 50), (0, 1, 50), (1000, 1, 20)])
def test_nothing_is_copied_ahead_that_takes_long_or_has_no_place_or_may_stay(budget, bytes_per_token, tokens):
    table = bench(slots=1, context_tokens=128, batch_tokens=128, budget=budget)
    table.backend.memory.bytes_per_token = bytes_per_token
    cached(table, [1 + i % 4 for i in range(tokens)])

    assert not table.engine.rest()
    assert table.backend.memory.saves == 0


def stateful(**options: object) -> Bench:
    return bench(cut=Cut.AT_CHECKPOINTS, context_tokens=128, budget=2000, **options)


SYSTEM = [1 + i % 4 for i in range(40)]


def cached(table: Bench, prompt: list[int], **options: object) -> int:
    id_ = table.ask(prompt, num_predict=2, **options)
    table.run()
    table.check()
    return table.ends[id_].end.usage.cached_tokens


def test_a_turn_that_leaves_out_the_end_of_the_last_prompt_evaluates_from_there_on():
    table = stateful()
    cached(table, [*SYSTEM, 5, 5, 5])
    assert cached(table, [*SYSTEM, 5, 5, 1, 2, 3]) == len(SYSTEM) + 3 - TAIL


def test_another_question_evaluates_from_the_last_message_on():
    table = stateful()
    cached(table, [*SYSTEM, *[2] * 20], turn=len(SYSTEM))
    assert cached(table, [*SYSTEM, *[3] * 20], turn=len(SYSTEM)) == len(SYSTEM)


def test_where_two_prompts_part_a_third_one_goes_on():
    table = stateful()
    cached(table, [*SYSTEM, *[2] * 20])
    assert cached(table, [*SYSTEM, *[3] * 20]) == 0
    assert cached(table, [*SYSTEM, *[4, 5] * 10]) == len(SYSTEM)


@pytest.mark.parametrize("cut", [Cut.IN_REACH, Cut.AT_CHECKPOINTS])
def test_a_burst_with_a_new_common_prefix_computes_it_once_whatever_the_memory(cut):
    table = bench(slots=4, context_tokens=64, cut=cut)
    ids = [table.ask([*SYSTEM, 5, 1 + n], num_predict=2) for n in range(4)]
    table.run()
    assert set(table.ends) == set(ids)
    assert table.backend.evaluated < len(SYSTEM) + 4 * 8
    table.check()


def test_a_parked_sequence_comes_back_with_its_checkpoints():
    table = stateful(slots=1)
    cached(table, [*SYSTEM, *[2] * 20], turn=len(SYSTEM))
    for filler in (3, 4):
        cached(table, [filler] * 90)
    assert cached(table, [*SYSTEM, *[5, 1] * 10]) == len(SYSTEM)


def test_states_that_are_too_large_to_keep_are_copied_once():
    table = stateful()
    table.backend.memory.checkpoint = lambda sequence: bytes(5000)
    assert cached(table, SYSTEM) == 0
    table.backend.memory.checkpoint = None
    assert cached(table, [*SYSTEM[:30], *[2] * 20]) == 0


@pytest.mark.parametrize(("forgets", "expected"), [(False, len(SYSTEM)), (True, 0)])
def test_a_sliding_window_is_cut_only_where_it_still_reaches_back(forgets, expected):
    table = bench(cut=Cut.IN_REACH, context_tokens=128)
    cached(table, [*SYSTEM, *[2] * 20])
    if forgets:
        table.backend.memory.forget_the_distant()
    assert cached(table, [*SYSTEM, *[3] * 20]) == expected


@pytest.mark.parametrize(
    ("prompt", "computed", "others", "expected"),
    [
        (100, 0, [50], [50, 96]),
        (100, 0, [90], [90]),
        (100, 70, [50], [96]),
        (100, 96, [50, 98], []),
        (100, 0, [100, 130], [96]),
        (12, 0, [], []),
    ],
)
def test_checkpoints_are_made_where_they_spare_enough(prompt, computed, others, expected):
    assert marks(prompt, computed, others, spacing=10) == expected


def checkpoints(*lengths: int) -> tuple[Checkpoint, ...]:
    return tuple(Checkpoint(length, b"") for length in lengths)


def test_the_checkpoint_that_spares_least_goes_first_and_the_newest_last():
    kept = merged(checkpoints(500, 520, 1000, 1100, 1600), checkpoints(2000, 2005, 3000, 3001))
    assert [c.length for c in kept] == [500, 520, 1000, 1100, 1600, 2000, 3000, 3001]
    while len(kept) > 3:
        kept = thinned(kept)
    assert [c.length for c in kept] == [1000, 3000, 3001]


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


@pytest.mark.parametrize(("prompt", "cells", "expected"), [(100, 30, [1, 100]), (20, 30, [21]), (100, 300, [101])])
def test_answers_are_evaluated_apart_from_much_prompt_in_a_full_cache(prompt, cells, expected):
    table = bench(slots=2, context_tokens=512, batch_tokens=128)
    table.engine._apart_cells = cells
    table.ask([1 + i % 4 for i in range(40)], num_predict=40)
    table.step()
    table.ask([5] * prompt, num_predict=1)
    sizes: list[int] = []
    decode = table.backend.decode
    table.backend.decode = lambda batch: (sizes.append(len(batch.tokens)), decode(batch))[1]

    table.step()

    assert sizes == expected


def test_a_long_prompt_does_not_stop_a_running_answer():
    table = bench(slots=2, context_tokens=512, batch_tokens=64)
    running = table.ask([1, 2, 3], num_predict=40)
    table.step()
    table.ask([2] * 400, num_predict=1)
    before = len(table.text[running])
    table.step()
    assert len(table.text[running]) > before or running in table.ends
