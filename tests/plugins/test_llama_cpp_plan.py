"""Rules of the llama.cpp runner's engine that need no model: limits, batches, guesses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.errors import ContextExceeded
from corral_llama_cpp.engine.drafts import MAX_DRAFT, Lookup, Pace
from corral_llama_cpp.engine.limits import answer_limit, fit, window
from corral_llama_cpp.engine.parking import Parking
from corral_llama_cpp.engine.plan import QUANTUM, Pacer, Want, compose

WANTS = st.lists(st.builds(Want, pending=st.integers(1, 5000), running=st.booleans()), max_size=12)


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(4, 20), st.integers(-1, 30), st.booleans())
def test_a_cut_prompt_keeps_its_head_and_its_newest_tail_and_leaves_room(prompt, size, num_keep, adds_bos):
    view = window(size, num_keep, len(prompt), adds_bos=adds_bos)
    kept = fit(prompt, view, truncate=True, shift=True)
    if len(prompt) <= size:
        assert kept == prompt
    else:
        assert kept[: view.keep] == prompt[: view.keep]
        assert prompt[-(len(kept) - view.keep) :] == kept[view.keep :]
        assert view.keep < len(kept) < size or size - view.keep == 1


@pytest.mark.parametrize(("truncate", "shift"), [(False, True), (True, False), (False, False)])
def test_a_prompt_that_must_not_be_cut_is_refused_with_both_counts(truncate, shift):
    view = window(8, 4, 9, adds_bos=False)
    with pytest.raises(ContextExceeded) as caught:
        fit(list(range(9)), view, truncate=truncate, shift=shift)
    assert (caught.value.tokens, caught.value.context) == (9, 8)


@pytest.mark.parametrize(
    ("size", "num_keep", "prompt", "bos", "keep", "discard"),
    [
        (100, 4, 50, False, 4, 48),
        (100, 4, 50, True, 5, 47),
        (100, -1, 50, False, 50, 25),
        (100, -1, 500, False, 99, 1),
        (4, 0, 2, False, 0, 2),
    ],
)
def test_windows_slide_by_half_of_what_is_not_kept(size, num_keep, prompt, bos, keep, discard):
    view = window(size, num_keep, prompt, adds_bos=bos)
    assert (view.keep, view.discard) == (keep, discard)


@pytest.mark.parametrize(("num_predict", "limit"), [(-1, 1000), (-2, 1000), (5, 5), (0, 0), (99999, 1000)])
def test_an_answer_is_bounded_by_ten_contexts(num_predict, limit):
    assert answer_limit(num_predict, 100) == limit


@given(WANTS, st.integers(32, 512), st.integers(1, 512))
def test_a_batch_serves_every_running_stream_and_never_overflows(wants, batch, chunk):
    shares = compose(wants, batch=batch, chunk=chunk)
    prompts = sum(share for want, share in zip(wants, shares, strict=True) if not want.running)
    assert all(share == 1 for want, share in zip(wants, shares, strict=True) if want.running)
    assert all(share <= want.pending for want, share in zip(wants, shares, strict=True))
    assert sum(shares) <= batch
    assert prompts <= chunk


def test_a_short_prompt_is_not_held_up_by_a_long_one():
    assert compose([Want(4000, running=False), Want(20, running=False)], batch=512, chunk=64) == [44, 20]


def test_the_oldest_prompt_takes_what_the_others_leave():
    assert compose([Want(4000, running=False), Want(4000, running=False)], batch=512, chunk=QUANTUM) == [QUANTUM, 0]


@pytest.mark.parametrize(("running", "waiting", "chunk"), [(0, 1, 512), (1, 1, 100), (8, 1, 100), (2, 3, 150), (1, 7, 200)])
def test_prompts_beside_running_answers_are_cut_to_half_a_second_or_one_when_more_wait(running, waiting, chunk):
    pacer = Pacer(512)
    pacer.learn(200, 1.0)

    assert pacer.chunk(running=running, waiting=waiting) == chunk


def test_the_chunk_follows_the_measured_rate_and_has_a_least_size():
    pacer = Pacer(512)
    assert pacer.chunk(running=1, waiting=1) == 64
    for tokens in (1000, 100, 100, 8):
        pacer.learn(tokens, 1.0)

    assert pacer.chunk(running=1, waiting=1) == 270


@given(st.lists(st.integers(0, 2), max_size=16), st.integers(1, 8))
def test_a_guess_is_what_followed_the_longest_same_tokens_before(tokens, length):
    lookup = Lookup([])
    for token in tokens:
        lookup.extend([token])
    guess = lookup.draft(length)

    def matching(at):
        return max(n for n in range(at + 1) if tokens[at - n : at] == tokens[len(tokens) - n :])

    places = [at for at in range(3, len(tokens)) if matching(at) >= 3]
    best = max(places, key=lambda at: (matching(at), at), default=None)
    assert guess == (tokens[best : best + length] if best else [])


def test_a_guess_waits_for_as_many_same_tokens_as_it_is_told():
    lookup = Lookup([1, 2, 3, 4, 5, 9, 9, 1, 2, 3, 4, 5])
    assert lookup.draft(2, match=5) == [9, 9]
    assert lookup.draft(2, match=6) == []


def test_guesses_grow_with_success_and_pause_longer_after_each_miss():
    pace = Pace()
    for _ in range(8):
        pace.judge(pace.length(99), pace.length(99))
    assert pace.length(99) == MAX_DRAFT
    pauses = []
    for _ in range(3):
        pace.judge(4, 0)
        pauses.append(0)
        while not pace.length(99):
            pace.plain()
            pauses[-1] += 1
    assert pauses[0] < pauses[1] < pauses[2]


def test_a_state_larger_than_the_whole_budget_is_not_parked_and_not_copied_again():
    parking = Parking(100)
    small, huge = list(range(20)), list(range(100, 150))
    parking.park(small, bytes(60))

    parking.park(huge, bytes(101))

    assert len(parking) == 1
    assert not parking.is_wanted([*range(200, 250)])
    assert parking.is_wanted([*range(200, 249)])
