"""Keep the states of sequences that had to leave the cache in ordinary memory, for prompts that begin as they did."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral_llama_cpp.engine.checkpoints import reach, thinned, total_bytes
from corral_llama_cpp.engine.prefixes import common_prefix

if TYPE_CHECKING:
    from corral_llama_cpp.engine.checkpoints import Checkpoint
    from corral_llama_cpp.engine.seams import State

#: Shorter sequences are computed again as fast as they are copied.
WORTH_PARKING = 16
#: A sequence of which this part is parked already is not parked again: many that share a long prefix cost little more than one.
WORTH_REPEATING = 0.75


@dataclass(slots=True, eq=False)
class Parked:
    """A sequence outside of the cache."""

    tokens: list[int]
    state: State
    checkpoints: tuple[Checkpoint, ...] = ()

    @property
    def size(self) -> int:
        """Return what it takes, in bytes."""
        return len(self.state) + total_bytes(self.checkpoints)


class Parking:
    """Parked sequences, the latest used last, within a budget of bytes."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._parked: list[Parked] = []
        #: Sequences of that many tokens were too large for the whole budget.
        self._too_long = math.inf

    def __len__(self) -> int:
        return len(self._parked)

    @property
    def free_bytes(self) -> int:
        """Return how much of the budget is not spent."""
        return self._budget - sum(parked.size for parked in self._parked)

    def is_wanted(self, tokens: list[int]) -> bool:
        """Return whether a sequence is worth its copy: long enough, not too long, and not much like one that is here."""
        known = max((common_prefix(parked.tokens, tokens) for parked in self._parked), default=0)
        return len(tokens) >= WORTH_PARKING and self.is_fitting(tokens) and known < WORTH_REPEATING * len(tokens)

    def is_fitting(self, tokens: list[int]) -> bool:
        """Return whether there is room for a sequence, as far as is known before its state is copied."""
        return self._budget > 0 and len(tokens) < self._too_long

    def park(self, tokens: list[int], state: State, checkpoints: tuple[Checkpoint, ...] = ()) -> Parked | None:
        """Take a sequence in; the longest unused ones leave when the budget is spent, but not for one that can't fit at all."""
        if len(state) > self._budget:
            self._too_long = min(self._too_long, len(tokens))
            return None
        self._parked = [parked for parked in self._parked if parked.tokens != tokens[: len(parked.tokens)]]
        while len(state) + total_bytes(checkpoints) > self._budget:
            checkpoints = thinned(checkpoints)
        taken = Parked(list(tokens), state, checkpoints)
        self._parked.append(taken)
        while self.free_bytes < 0:
            del self._parked[0]
        return taken

    def find(self, prompt: list[int], *, whole: bool) -> tuple[Parked | None, int]:
        """Return the sequence that shares the longest prefix with a prompt, and its length.

        With `whole` it is used as far as a checkpoint, unless it is a prefix of the prompt itself.
        """
        best: Parked | None = None
        length = 0
        for parked in self._parked:
            shared = common_prefix(parked.tokens, prompt)
            if whole and shared < len(parked.tokens):
                shared = reach(parked.checkpoints, shared)
            if shared > length:
                best, length = parked, shared
        return best, length

    def touch(self, parked: Parked) -> None:
        """Note that a sequence was used; one that had to leave while room was made for it stays away."""
        if parked in self._parked:
            self._parked.remove(parked)
            self._parked.append(parked)

    def drop(self, parked: Parked | None) -> None:
        """Let a sequence go, if it has not gone yet."""
        if parked is not None and parked in self._parked:
            self._parked.remove(parked)
