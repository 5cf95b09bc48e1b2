"""Which tokens the cache holds, for whom, and who shares them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from corral_llama_cpp.engine.prefixes import common_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corral_llama_cpp.engine.parking import Parking
    from corral_llama_cpp.engine.seams import Memory

#: A parked sequence is brought back when it spares at least this many tokens more than the cache does.
WORTH_BRINGING_BACK = 16


@dataclass(slots=True, eq=False)
class Sequence:
    """One sequence of the context: the tokens that the cache holds for it, in the order of their positions."""

    id: int
    tokens: list[int] = field(default_factory=list)
    #: One number per token; sequences that share a cell have the same number.
    cells: list[int] = field(default_factory=list)
    is_busy: bool = True
    used_at: int = 0


class Cells:
    """The book of the cache. Finished sequences stay as prefixes for later prompts; what must leave is parked.

    Idle cells cost something: attention passes over every cell up to the last used one, whoever it belongs to.
    """

    def __init__(self, memory: Memory, parking: Parking, *, capacity: int, sequences: int, idle_cells: int, can_cut: bool) -> None:
        self._memory = memory
        self._parking = parking
        self._capacity = capacity
        self._idle_cells = idle_cells
        self._can_cut = can_cut
        self._free_ids = list(range(sequences - 1, -1, -1))
        self._sequences: dict[int, Sequence] = {}
        self._references: Counter[int] = Counter()
        self._numbers = count()
        self._clock = count(1)
        #: Cells that are none of ours: an input to embed, of which more is to come.
        self.held = 0

    @property
    def used(self) -> int:
        """Return the number of cells that hold a token."""
        return len(self._references)

    @property
    def sequences(self) -> tuple[Sequence, ...]:
        """Return the sequences that hold an id, busy or not."""
        return tuple(self._sequences.values())

    def open(self, prompt: list[int]) -> Sequence | None:
        """Return a busy sequence that holds the longest known prefix of a prompt, short of its last token.

        None when every sequence is busy.
        """
        best, length = self._best(prompt)
        if returned := self._bring_back(prompt, length):
            return returned
        if best is not None and not best.is_busy and (length == len(best.tokens) or not self._make_id_free(best)):
            return self._take_over(best, length)
        if not self._make_id_free(best):
            return None
        sequence = self._new()
        if best is not None:
            self._share(best, sequence, length)
        return sequence

    def extend(self, sequence: Sequence, prompt: list[int]) -> int:
        """Share what others have computed meanwhile of a prompt; return how many tokens that spares."""
        best, length = self._best(prompt, apart_from=sequence)
        gain = length - len(sequence.tokens)
        if best is None or gain <= 0 or not self._can_cut:
            return 0
        self._share(best, sequence, length)
        return gain

    def reserve(self, cells: int) -> bool:
        """Let idle sequences go, the longest unused first, until that many cells are free."""
        while self._capacity - self.used - self.held < cells:
            if not self._drop_oldest():
                return False
        return True

    def append(self, sequence: Sequence, tokens: list[int]) -> None:
        """Note tokens that the cache holds now."""
        numbers = [next(self._numbers) for _ in tokens]
        sequence.tokens.extend(tokens)
        sequence.cells.extend(numbers)
        self._references.update(numbers)
        sequence.used_at = next(self._clock)

    def cut(self, sequence: Sequence, length: int) -> bool:
        """Make the cache hold only the first tokens of a sequence, and nothing that was written beyond what is noted.

        A memory that can't be cut loses the whole sequence; then the answer is False.
        """
        if self._memory.remove(sequence.id, length):
            self._forget(sequence, length, len(sequence.cells))
            return True
        self._memory.remove(sequence.id, 0)
        self._forget(sequence, 0, len(sequence.cells))
        return False

    def slide(self, sequence: Sequence, keep: int, discard: int) -> bool:
        """Drop `discard` tokens after the first `keep` and move the rest down.

        False when the rest is shared with a busy sequence (a cell has one position for all); then nothing has changed.
        """
        end = keep + discard
        if not self._own(sequence, keep):
            return False
        self._memory.remove(sequence.id, keep, end)
        self._memory.shift(sequence.id, end, -discard)
        self._forget(sequence, keep, end)
        return True

    def close(self, sequence: Sequence, *, keep: bool = True) -> None:
        """Give a sequence back; its tokens stay as a prefix for others when `keep`."""
        sequence.is_busy = False
        sequence.used_at = next(self._clock)
        if not keep or not sequence.tokens or self._is_repeated(sequence):
            self._drop(sequence)
            return
        for other in self._idle():
            if other is not sequence and other.tokens == sequence.tokens[: len(other.tokens)]:
                self._drop(other)
        self._trim_idle()

    def clear(self) -> None:
        """Let every idle sequence go, without parking it."""
        for sequence in self._idle():
            self._drop(sequence)

    def _new(self) -> Sequence:
        sequence = Sequence(self._free_ids.pop(), used_at=next(self._clock))
        self._sequences[sequence.id] = sequence
        return sequence

    def _bring_back(self, prompt: list[int], cached: int) -> Sequence | None:
        """Return a sequence from the parking when that spares clearly more than the `cached` tokens."""
        parked, length = self._parking.find(prompt[:-1], whole=not self._can_cut)
        if parked is None or length < cached + WORTH_BRINGING_BACK or not self._make_id_free(None):
            return None
        self.reserve(len(parked.tokens))
        sequence = self._new()
        if not self._memory.load(sequence.id, parked.state):
            self._parking.drop(parked)
            self._drop(sequence)
            return None
        self._parking.touch(parked)
        self.append(sequence, parked.tokens)
        if length < len(parked.tokens):
            self.cut(sequence, length)
        return sequence

    def _best(self, prompt: list[int], apart_from: Sequence | None = None) -> tuple[Sequence | None, int]:
        best: Sequence | None = None
        length = 0
        for sequence in self._sequences.values():
            shared = self._reusable(sequence, prompt)
            better = shared > length or (shared == length and best is not None and best.is_busy and not sequence.is_busy)
            if shared and better and sequence is not apart_from:
                best, length = sequence, shared
        return best, length

    def _reusable(self, sequence: Sequence, prompt: list[int]) -> int:
        # The last token of a prompt is always evaluated: its logits are what the answer starts from.
        shared = common_prefix(sequence.tokens, prompt[:-1])
        if self._can_cut or (shared == len(sequence.tokens) and not sequence.is_busy):
            return shared
        return 0

    def _take_over(self, sequence: Sequence, length: int) -> Sequence:
        sequence.is_busy = True
        sequence.used_at = next(self._clock)
        if length < len(sequence.tokens):
            self.cut(sequence, length)
        return sequence

    def _share(self, source: Sequence, target: Sequence, length: int) -> None:
        start = len(target.tokens)
        self._memory.copy(source.id, target.id, start, length)
        target.tokens.extend(source.tokens[start:length])
        target.cells.extend(source.cells[start:length])
        self._references.update(source.cells[start:length])
        source.used_at = target.used_at = next(self._clock)

    def _make_id_free(self, apart_from: Sequence | None) -> bool:
        return bool(self._free_ids) or self._drop_oldest(apart_from)

    def _drop_oldest(self, apart_from: Sequence | None = None) -> bool:
        idle = [s for s in self._idle() if s is not apart_from]
        if not idle:
            return False
        oldest = min(idle, key=lambda s: s.used_at)
        if self._parking.is_wanted(oldest.tokens):
            self._parking.park(oldest.tokens, self._memory.save(oldest.id))
        self._drop(oldest)
        return True

    def _drop(self, sequence: Sequence) -> None:
        self._memory.remove(sequence.id, 0)
        self._forget(sequence, 0, len(sequence.cells))
        del self._sequences[sequence.id]
        self._free_ids.append(sequence.id)

    def _forget(self, sequence: Sequence, start: int, end: int) -> None:
        for number in sequence.cells[start:end]:
            self._references[number] -= 1
            if not self._references[number]:
                del self._references[number]
        del sequence.tokens[start:end]
        del sequence.cells[start:end]

    def _own(self, sequence: Sequence, start: int) -> bool:
        """Make a sequence the only owner of its cells from `start` on, at the cost of idle ones; False when it can't be."""
        moved = set(sequence.cells[start:])
        sharers = [s for s in self._sequences.values() if s is not sequence and not moved.isdisjoint(s.cells)]
        if any(s.is_busy for s in sharers):
            return False
        for idle in sharers:
            self._drop(idle)
        return True

    def _idle(self) -> list[Sequence]:
        return [s for s in self._sequences.values() if not s.is_busy]

    def _is_repeated(self, sequence: Sequence) -> bool:
        length = len(sequence.tokens)
        return any(s is not sequence and s.tokens[:length] == sequence.tokens for s in self._idle())

    def _trim_idle(self) -> None:
        while self.used - self._busy_cells() > self._idle_cells and len(self._idle()) > 1:
            self._drop_oldest()

    def _busy_cells(self) -> int:
        return len(_union(s.cells for s in self._sequences.values() if s.is_busy))


def _union(lists: Iterable[list[int]]) -> set[int]:
    return set().union(*lists)
