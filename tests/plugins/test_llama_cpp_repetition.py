"""An answer that goes round in circles is noticed; one that only repeats itself now and then is not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from corral_llama_cpp.engine.repetition import LONGEST_CYCLE, SPAN, is_cycle


@given(st.lists(st.integers(0, 5), min_size=1, max_size=LONGEST_CYCLE), st.lists(st.integers(0, 5), max_size=50))
def test_any_short_run_over_and_over_is_noticed_whatever_came_before(run: list[int], before: list[int]) -> None:
    assert is_cycle(before + run * (SPAN // len(run) + 2))


@given(st.integers(1, SPAN - 1))
def test_a_run_that_is_not_long_yet_is_left_alone(count: int) -> None:
    assert not is_cycle([7] * count)


@given(st.integers(0, SPAN - 1))
def test_one_different_token_makes_it_no_circle(at: int) -> None:
    tokens = [1, 2, 3, 4] * (SPAN // 4)
    tokens[at] = 9

    assert not is_cycle(tokens)


def test_a_table_that_counts_is_no_circle() -> None:
    assert not is_cycle([token for row in range(400) for token in (1, 2, row, 3, 4)])
