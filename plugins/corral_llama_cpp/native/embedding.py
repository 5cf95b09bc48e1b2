"""Embed many inputs in as few decodes as their length allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from corral.errors import ContextExceeded, RunnerError, Unsupported
from corral_llama_cpp.engine.seams import Batch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral_llama_cpp.native.context import Context
    from corral_llama_cpp.native.vocabulary import Vocabulary


class EmbedJob:
    """One request, taken a decode at a time so that running answers are not held up."""

    def __init__(self, id_: int, groups: list[list[list[int]]]) -> None:
        self.id = id_
        self.groups = groups
        self.vectors: list[bytes] = []
        self.prompt_tokens = sum(len(tokens) for group in groups for tokens in group)

    @property
    def is_over(self) -> bool:
        """Return whether every input has its vector."""
        return not self.groups

    @property
    def next_tokens(self) -> int:
        """Return how many tokens the next decode takes."""
        return sum(map(len, self.groups[0]))


class Embedder:
    """Turns inputs into vectors. It uses sequences `first` and up, which nobody else may use."""

    def __init__(self, context: Context, vocabulary: Vocabulary, *, limit: int, first: int, sequences: int) -> None:
        self._context = context
        self._vocabulary = vocabulary
        #: An input is evaluated in one batch, because models that look both ways need it whole.
        self._limit = min(limit, context.batch_tokens)
        self._first = first
        self._sequences = sequences

    def job(self, id_: int, inputs: tuple[str, ...], *, truncate: bool) -> EmbedJob:
        """Return the job of a request; raise ContextExceeded for an input that is too long when it must not be cut."""
        tokens = [self._tokens(text, truncate=truncate) for text in inputs]
        return EmbedJob(id_, list(self._groups(tokens)))

    def advance(self, job: EmbedJob) -> None:
        """Evaluate one group of inputs; each vector is kept as 32-bit floats."""
        group = job.groups.pop(0)
        batch = Batch()
        for offset, tokens in enumerate(group):
            batch.add(tokens, 0, self._first + offset, len(tokens))
        self._context.embed(on=True)
        try:
            if status := self._context.decode(batch):
                raise RunnerError(f"the model could not evaluate the inputs (llama_decode says {status})")
            job.vectors += self._vectors(group)
        finally:
            self._context.embed(on=False)
            for offset in range(len(group)):
                self._context.memory.remove(self._first + offset, 0)

    def _tokens(self, text: str, *, truncate: bool) -> list[int]:
        tokens = self._vocabulary.whole_input(text) or [self._vocabulary.start_token]
        if len(tokens) > self._limit and not truncate:
            raise ContextExceeded(tokens=len(tokens), context=self._limit)
        if len(tokens) > self._limit and tokens[-1] == self._vocabulary.eos:
            return [*tokens[: self._limit - 1], tokens[-1]]
        return tokens[: self._limit]

    def _groups(self, inputs: list[list[int]]) -> Iterator[list[list[int]]]:
        group: list[list[int]] = []
        for tokens in inputs:
            too_long = sum(map(len, group)) + len(tokens) > self._context.batch_tokens
            if group and (too_long or len(group) == self._sequences):
                yield group
                group = []
            group.append(tokens)
        if group:
            yield group

    def _vectors(self, group: list[list[int]]) -> list[bytes]:
        if self._context.is_pooling:
            found = [self._context.pooled(self._first + offset) for offset in range(len(group))]
        else:
            # A model that only writes text pools nothing; its last token has seen all the others.
            ends = np.cumsum([len(tokens) for tokens in group]) - 1
            found = [self._context.embedding(int(end)) for end in ends]
        if not all(np.isfinite(vector).all() for vector in found):
            raise Unsupported("the model gives no embedding: its vectors are not finite numbers")
        return [vector.astype("<f4").tobytes() for vector in found]
