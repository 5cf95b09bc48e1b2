"""Which tokens the cache holds, for whom, and who shares them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import count, islice
from typing import TYPE_CHECKING, assert_never

from corral_llama_cpp.engine.checkpoints import Checkpoint, last, merged, reach, thinned, total_bytes
from corral_llama_cpp.engine.prefixes import common_prefix
from corral_llama_cpp.engine.seams import Cut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corral_llama_cpp.engine.parking import Parked, Parking
    from corral_llama_cpp.engine.seams import Memory

#: A parked sequence is brought back when it spares at least this many tokens more than the cache does.
WORTH_BRINGING_BACK = 16
#: States up to this size are copied before there is need: it takes 10 ms, which nobody notices.
MOST_AHEAD_BYTES = 32 * 2**20


@dataclass(slots=True, eq=False)
class Sequence:
    """One sequence of the context: the tokens that the cache holds for it, in the order of their positions."""

    id: int
    tokens: list[int] = field(default_factory=list)
    #: One number per token; sequences that share a cell have the same number.
    cells: list[int] = field(default_factory=list)
    #: Where a memory that can't be cut can go back to; those of shorter lengths first.
    checkpoints: tuple[Checkpoint, ...] = ()
    #: A copy that was made before the sequence had to leave.
    copy: Parked | None = None
    is_busy: bool = True
    used_at: int = 0


class Cells:
    """The book of the cache. Finished sequences stay as prefixes for later prompts; what must leave is parked.

    Idle cells cost something: attention passes over every cell up to the last used one, whoever it belongs to. While an answer
    is running there are `idle_cells` of them at most.
    """

    def __init__(
        self,
        memory: Memory,
        parking: Parking,
        *,
        capacity: int,
        sequences: int,
        idle_cells: int,
        cut: Cut,
        checkpoint_bytes: int,
    ) -> None:
        self._memory = memory
        self._parking = parking
        self._capacity = capacity
        self._idle_cells = idle_cells
        self._cut = cut
        self._checkpoint_bytes = checkpoint_bytes
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

    def parting(self, prompt: list[int]) -> int:
        """Return how many tokens of a prompt a sequence of the cache begins with, whether they can be used or not."""
        return max((common_prefix(s.tokens, prompt) for s in self._sequences.values()), default=0)

    def extend(self, sequence: Sequence, prompt: list[int]) -> int:
        """Share what others have computed meanwhile of a prompt; return how many tokens that spares."""
        best, length = self._best(prompt, apart_from=sequence)
        held = len(sequence.tokens)
        if best is None or length <= held:
            return 0
        self._share(best, sequence, length)
        return len(sequence.tokens) - held

    def reserve(self, cells: int) -> bool:
        """Let idle sequences go, the longest unused first, until that many cells are free."""
        while self._capacity - self.used - self.held < cells:
            if not self._drop_oldest():
                return False
        return True

    def append(self, sequence: Sequence, tokens: list[int]) -> None:
        """Note tokens that the cache holds now."""
        sequence.tokens.extend(tokens)
        for number in islice(self._numbers, len(tokens)):
            sequence.cells.append(number)
            self._references[number] = 1
        sequence.used_at = next(self._clock)

    def cut(self, sequence: Sequence, length: int) -> bool:
        """Make the cache hold only the first tokens of a sequence, and nothing that was written beyond what is noted.

        A memory that can't be cut there goes back to a checkpoint, or loses the whole sequence; then the answer is False.
        """
        if self._reaches_back(sequence, length) and self._memory.remove(sequence.id, length):
            self._forget(sequence, length, len(sequence.cells))
            return True
        self._go_back(sequence, length)
        return False

    def checkpoint(self, sequence: Sequence) -> None:
        """Copy the state of a sequence, to come back to; copies of those longest unused make room for it."""
        length = len(sequence.tokens)
        if not self._checkpoint_bytes or reach(sequence.checkpoints, length) == length:
            return
        state = self._memory.checkpoint(sequence.id)
        if len(state) > self._checkpoint_bytes:
            # All states of a model have one size.
            self._checkpoint_bytes = 0
            return
        sequence.checkpoints = merged(sequence.checkpoints, [Checkpoint(length, state)])
        self._trim_checkpoints()

    def slide(self, sequence: Sequence, keep: int, discard: int) -> bool:
        """Drop `discard` tokens after the first `keep` and move the rest down.

        False when the rest is shared with a busy sequence (a cell has one position for all), or can't be moved without
        what goes; then nothing has changed.
        """
        end = keep + discard
        is_movable = self._cut is Cut.ANYWHERE or (self._cut is Cut.IN_REACH and self._reaches_back(sequence, 0))
        if not (is_movable and self._own(sequence, keep)):
            return False
        self._memory.remove(sequence.id, keep, end)
        self._memory.shift(sequence.id, end, -discard)
        self._forget(sequence, keep, end)
        return True

    def close(self, sequence: Sequence, *, keep: bool = True) -> None:
        """Give a sequence back; its tokens stay as a prefix for others when `keep`."""
        sequence.is_busy = False
        sequence.used_at = next(self._clock)
        longer = self._repeating(sequence)
        if longer is not None:
            longer.checkpoints = merged(longer.checkpoints, sequence.checkpoints)
        if not keep or not sequence.tokens or longer is not None:
            self._drop(sequence)
            return
        for other in self._idle():
            if other is not sequence and other.tokens == sequence.tokens[: len(other.tokens)]:
                sequence.checkpoints = merged(sequence.checkpoints, other.checkpoints)
                self._drop(other)

    def trim(self) -> None:
        """Let idle sequences go, the longest unused first, until their cells hardly slow attention down."""
        while self.used - self._busy_cells() > self._idle_cells and self._drop_oldest(self._spared()):
            continue

    def settle(self) -> bool:
        """While nothing runs, do one thing that the next answer would have to wait for; False when nothing is left to do.

        The sequence that was used last stays, for its next turn may come, but a copy is made in case that something else does.
        """
        latest = max(self._idle(), key=lambda s: s.used_at, default=None)
        if latest is None or self.used <= self._idle_cells:
            return False
        return self._drop_oldest(latest) or self._copy_ahead(latest)

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
        parked, length = self._parking.find(prompt[:-1], whole=self._cut is not Cut.ANYWHERE)
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
        sequence.checkpoints = parked.checkpoints
        if length < len(parked.tokens):
            self.cut(sequence, length)
        self._trim_checkpoints()
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
        is_whole = shared == len(sequence.tokens)
        if self._cut is Cut.NOWHERE:
            return shared if is_whole and not sequence.is_busy else 0
        if is_whole or self._reaches_back(sequence, shared):
            return shared
        return reach(sequence.checkpoints, shared)

    def _reaches_back(self, sequence: Sequence, length: int) -> bool:
        """Return whether a sequence can go on after its first `length` tokens, as far as the book can tell."""
        match self._cut:
            case Cut.ANYWHERE:
                return True
            case Cut.IN_REACH:
                return self._memory.reaches_back(sequence.id, length)
            case Cut.AT_CHECKPOINTS | Cut.NOWHERE:
                return length == len(sequence.tokens)
            case _:
                assert_never(self._cut)

    def _go_back(self, sequence: Sequence, length: int) -> None:
        """Go back to the last checkpoint within the first `length` tokens, or to nothing."""
        found = last(sequence.checkpoints, length)
        kept = 0
        if found is not None and self._memory.restore(sequence.id, found.state):
            kept = found.length
        if not self._memory.remove(sequence.id, kept):
            self._memory.remove(sequence.id, 0)
            kept = 0
        self._forget(sequence, kept, len(sequence.cells))

    def _take_over(self, sequence: Sequence, length: int) -> Sequence:
        # It will grow; a copy of its beginning would pass for one of the whole.
        self._parking.drop(sequence.copy)
        sequence.copy = None
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
        target.checkpoints = merged(target.checkpoints, [c for c in source.checkpoints if c.length <= length])
        if self._cut is Cut.AT_CHECKPOINTS and length < len(source.tokens):
            # The copy has the state after the source's last token.
            self._go_back(target, length)

    def _make_id_free(self, apart_from: Sequence | None) -> bool:
        return bool(self._free_ids) or self._drop_oldest(apart_from)

    def _drop_oldest(self, apart_from: Sequence | None = None) -> bool:
        idle = [s for s in self._idle() if s is not apart_from]
        if not idle:
            return False
        oldest = min(idle, key=lambda s: s.used_at)
        if self._parking.is_wanted(oldest.tokens):
            self._park(oldest)
        self._drop(oldest)
        return True

    def _park(self, sequence: Sequence) -> Parked | None:
        return self._parking.park(sequence.tokens, self._memory.save(sequence.id), sequence.checkpoints)

    def _copy_ahead(self, sequence: Sequence) -> bool:
        """Copy a sequence that is small, once, where that pushes no other copy out; False when there is no need or no room."""
        if sequence.copy is not None or not self._parking.is_wanted(sequence.tokens):
            return False
        size = self._memory.state_bytes(sequence.id) + total_bytes(sequence.checkpoints)
        if size > min(MOST_AHEAD_BYTES, self._parking.free_bytes):
            return False
        sequence.copy = self._park(sequence)
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
        sequence.checkpoints = tuple(c for c in sequence.checkpoints if c.length <= start)

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

    def _repeating(self, sequence: Sequence) -> Sequence | None:
        """Return an idle sequence that begins with all of this one."""
        length = len(sequence.tokens)
        return next((s for s in self._idle() if s is not sequence and s.tokens[:length] == sequence.tokens), None)

    def _spared(self) -> Sequence | None:
        """Return the idle sequence that was used last, as long as it is in nobody's way, or would be lost."""
        latest = max(self._idle(), key=lambda s: s.used_at, default=None)
        is_running = any(s.is_busy for s in self._sequences.values())
        return None if is_running and latest and self._parking.is_fitting(latest.tokens) else latest

    def _trim_checkpoints(self) -> None:
        while total_bytes(c for s in self._sequences.values() for c in s.checkpoints) > self._checkpoint_bytes:
            oldest = min((s for s in self._sequences.values() if s.checkpoints), key=lambda s: s.used_at)
            oldest.checkpoints = thinned(oldest.checkpoints)

    def _busy_cells(self) -> int:
        return len(_union(s.cells for s in self._sequences.values() if s.is_busy))


def _union(lists: Iterable[list[int]]) -> set[int]:
    return set().union(*lists)
