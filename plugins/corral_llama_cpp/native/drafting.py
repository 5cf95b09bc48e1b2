"""Let a smaller model of the same vocabulary guess what the model will say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from corral.errors import LoadFailed
from corral_llama_cpp.engine.prefixes import common_prefix
from corral_llama_cpp.engine.seams import Batch

if TYPE_CHECKING:
    from corral_llama_cpp.native.context import Context
    from corral_llama_cpp.native.vocabulary import Vocabulary

#: A guess ends before a token that the small model gives less than this probability.
_SURE_ENOUGH = 0.6
#: Vocabularies of one family may differ by this many unused tokens at the end; every so many tokens are compared.
_PADDING = 128
_EVERY = 61


class DraftModel:
    """A small model with a context of its own, one sequence for each answer."""

    def __init__(self, context: Context, vocabulary: Vocabulary, *, slots: int, context_tokens: int) -> None:
        self._context = context
        self._vocabulary = vocabulary
        self._context_tokens = context_tokens
        self._free = list(range(slots))
        #: The sequence of each answer, and the tokens it holds.
        self._sequences: dict[int, tuple[int, list[int]]] = {}

    def guess(self, answer: int, tokens: list[int], length: int) -> list[int]:
        """Return at most `length` tokens that may follow; none when the small model is not sure, or has no room."""
        if len(tokens) + length > self._context_tokens or (answer not in self._sequences and not self._free):
            return []
        if answer not in self._sequences:
            self._sequences[answer] = (self._free.pop(), [])
        sequence, held = self._sequences[answer]
        guessed: list[int] = []
        pending = self._pending(sequence, held, tokens)
        while len(guessed) < length and self._evaluate(sequence, held, pending):
            token = self._most_likely()
            if token is None:
                break
            guessed.append(token)
            pending = [token]
        return guessed

    def set_threads(self, count: int) -> None:
        """Use that many threads from the next decode on."""
        self._context.set_threads(count)

    def forget(self, answer: int) -> None:
        """Let an answer's sequence go."""
        if answer in self._sequences:
            sequence, _ = self._sequences.pop(answer)
            self._context.memory.remove(sequence, 0)
            self._free.append(sequence)

    def _pending(self, sequence: int, held: list[int], tokens: list[int]) -> list[int]:
        """Cut what the sequence holds to what is right, and return what it lacks; at least the last token."""
        shared = min(common_prefix(held, tokens), len(tokens) - 1)
        if shared < len(held) and not self._context.memory.remove(sequence, shared):
            self._context.memory.remove(sequence, 0)
            shared = 0
        del held[shared:]
        return tokens[shared:]

    def _evaluate(self, sequence: int, held: list[int], pending: list[int]) -> bool:
        for start in range(0, len(pending), self._context.batch_tokens):
            part = pending[start : start + self._context.batch_tokens]
            batch = Batch()
            batch.add(part, len(held), sequence, 1)
            if self._context.decode(batch):
                self._context.memory.remove(sequence, len(held))
                return False
            held += part
        return True

    def _most_likely(self) -> int | None:
        logits = self._context.logits(0)
        token = int(logits.argmax())
        probability = 1 / float(np.exp(logits - logits[token]).sum())
        is_end = token in self._vocabulary.ends
        return None if is_end or not probability >= _SURE_ENOUGH else token


def check_vocabularies(model: Vocabulary, draft: Vocabulary) -> None:
    """Raise LoadFailed when two models do not speak in the same tokens."""
    count = min(model.size, draft.size)
    differs = next((token for token in range(0, count, _EVERY) if model.piece(token) != draft.piece(token)), None)
    if abs(model.size - draft.size) > _PADDING or differs is not None:
        raise LoadFailed(f"the draft model has another vocabulary ({draft.size} tokens, the model has {model.size})")
