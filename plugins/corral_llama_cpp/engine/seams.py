"""What the engine asks of the library below it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.events import TokenLogprob
    from corral_llama_cpp.wire import Generate


#: A copy of what the cache holds for a sequence. Where it is kept is the library's side's own affair.
State: TypeAlias = bytes | memoryview


class SamplingFailed(Exception):
    """No token could be chosen: the logits are not numbers, or everything was ruled out."""


class Cut(Enum):
    """Where the memory of a sequence can be cut, so that it goes on from there as if the rest had never been."""

    ANYWHERE = "anywhere"
    #: Where all is still there that the next token looks back on: sliding windows.
    IN_REACH = "in reach"
    #: Where a copy of its state was made: recurrent models, and hybrid ones.
    AT_CHECKPOINTS = "at checkpoints"
    NOWHERE = "nowhere"

    @property
    def can_undo(self) -> bool:
        """Return whether tokens that were guessed wrong can be taken back."""
        return self in (Cut.ANYWHERE, Cut.IN_REACH)


@dataclass(slots=True)
class Batch:
    """Tokens of one decode, side by side; `outputs` are the indices whose logits are wanted, in order."""

    tokens: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)

    def add(self, tokens: Sequence[int], position: int, sequence: int, outputs: int) -> int:
        """Add consecutive tokens of a sequence, the last ones with logits; return the row of the first output."""
        row = len(self.outputs)
        count = len(tokens)
        self.tokens.extend(tokens)
        self.positions.extend(range(position, position + count))
        self.sequences.extend([sequence] * count)
        self.outputs.extend(range(len(self.tokens) - outputs, len(self.tokens)))
        return row


class Memory(Protocol):
    """The cache of the context: cells that hold a token at a position for one or more sequences."""

    def remove(self, sequence: int, start: int, end: int = -1) -> bool:
        """Forget the positions of a sequence in [start, end), to the end when `end` is -1; False when it can't."""

    def copy(self, source: int, target: int, start: int, end: int) -> None:
        """Let `target` share the cells of `source` in [start, end)."""

    def shift(self, sequence: int, start: int, delta: int) -> None:
        """Add `delta` to the positions of a sequence from `start` on."""

    def state_bytes(self, sequence: int) -> int:
        """Return how large a copy of a sequence would be."""

    def save(self, sequence: int) -> State:
        """Return a copy of all that the cache holds for a sequence."""

    def load(self, sequence: int, state: State) -> bool:
        """Put what was saved into an empty sequence; False when there is no room for it."""

    def reaches_back(self, sequence: int, length: int) -> bool:
        """Return whether all is there that a token after the first `length` ones looks back on; asked where cuts are IN_REACH."""

    def checkpoint(self, sequence: int) -> State:
        """Return a copy of what can't be cut in a sequence; asked where cuts are AT_CHECKPOINTS."""

    def restore(self, sequence: int, state: State) -> bool:
        """Put a checkpoint's state in the place of the present one; False, with the state lost, when that fails."""


class Sampler(Protocol):
    """Chooses the tokens of one stream; it remembers what it chose."""

    def sample(self, row: int) -> int:
        """Choose from the logits of an output row; raise SamplingFailed when nothing can be chosen."""

    def close(self) -> None:
        """Give back what the sampler holds."""


class Guesser(Protocol):
    """Guesses what an answer goes on with, better than by looking at what was said before."""

    def guess(self, answer: int, tokens: list[int], length: int) -> list[int]:
        """Return at most `length` tokens that may follow `tokens`, the answer's target so far."""

    def forget(self, answer: int) -> None:
        """Let go what is kept for an answer."""


class Backend(Protocol):
    """One loaded model with one context."""

    #: Tokens of one batch, and of one sequence; whether positions can be moved, and where the cache can be cut.
    batch_tokens: int
    context_tokens: int
    can_shift: bool
    cut: Cut
    #: Whether prompts begin with a BOS token, and the token that stands for an empty prompt.
    adds_bos: bool
    start_token: int
    memory: Memory

    @property
    def guesser(self) -> Guesser | None:
        """Return the draft model, where there is one."""

    def decode(self, batch: Batch) -> int:
        """Evaluate a batch; 0 is success, 1 no free cell, another number an error."""

    def sampler(self, request: Generate, prompt: Sequence[int]) -> Sampler:
        """Return the sampler of a request; raise InvalidGrammar for a grammar that does not parse."""

    def probabilities(self, row: int, token: int, top: int) -> TokenLogprob:
        """Return the natural-log probability of a token in an output row, and the `top` most likely ones."""

    def piece(self, token: int) -> bytes:
        """Return the bytes of a token, special ones included."""

    def is_end(self, token: int) -> bool:
        """Return whether a token ends the answer."""
