"""Copies of a sequence's state to come back to, for memories that can't be cut: where to make them, and which to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from corral_llama_cpp.engine.seams import State

#: Checkpoints of one sequence. Two come with each turn of a chat.
MOST = 8
#: The next turn often parts from this one a few tokens before the end of its prompt: a mark of thinking is left out, or a line break.
TAIL = 4


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """The state after the first `length` tokens of a sequence; the tokens themselves stay in the cache where attention needs them."""

    length: int
    state: State


def marks(prompt: int, computed: int, others: Iterable[int], spacing: int) -> list[int]:
    """Return after which tokens of a prompt a checkpoint is worth its copy: near its end, and at `others`.

    Each spares at least `spacing` tokens more than the one before it, or than what the cache holds.
    """
    found: list[int] = []
    for mark in sorted({*others, prompt - TAIL}):
        if mark < prompt and mark >= (found[-1] if found else computed) + spacing:
            found.append(mark)
    return found


def last(checkpoints: Sequence[Checkpoint], length: int) -> Checkpoint | None:
    """Return the longest checkpoint within the first `length` tokens."""
    fitting = [c for c in checkpoints if c.length <= length]
    return max(fitting, key=lambda c: c.length, default=None)


def reach(checkpoints: Sequence[Checkpoint], length: int) -> int:
    """Return how many of the first `length` tokens need not be computed again."""
    found = last(checkpoints, length)
    return 0 if found is None else found.length


def merged(first: Iterable[Checkpoint], second: Iterable[Checkpoint]) -> tuple[Checkpoint, ...]:
    """Return the checkpoints of two sequences, of which one is the beginning of the other; at most MOST."""
    found = tuple(sorted({c.length: c for c in (*first, *second)}.values(), key=lambda c: c.length))
    while len(found) > MOST:
        found = thinned(found)
    return found


def thinned(checkpoints: Sequence[Checkpoint]) -> tuple[Checkpoint, ...]:
    """Return the checkpoints without the one that spares least: its predecessor is nearest. The newest goes last."""
    starts = (0, *(c.length for c in checkpoints))
    gaps = [c.length - start for c, start in zip(checkpoints[:-1], starts, strict=False)]
    least = gaps.index(min(gaps)) if gaps else 0
    return (*checkpoints[:least], *checkpoints[least + 1 :])


def total_bytes(checkpoints: Iterable[Checkpoint]) -> int:
    """Return what the states take; sequences share them."""
    return sum(len(state) for state in {id(c.state): c.state for c in checkpoints}.values())
