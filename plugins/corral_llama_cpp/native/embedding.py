"""Turn many inputs into vectors, or into scores, in as few decodes as their length allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from corral.errors import ContextExceeded, CorralError, RunnerError, Unsupported
from corral_llama_cpp.engine.seams import Batch
from corral_llama_cpp.native.ranking import Ranking
from corral_llama_cpp.wire import Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral_llama_cpp.native.context import Context, Floats
    from corral_llama_cpp.native.model import Model


class EmbedJob:
    """One request, taken a decode at a time so that running answers are not held up."""

    def __init__(self, id_: int, groups: list[list[list[int]]], notes: tuple[Note, ...] = ()) -> None:
        self.id = id_
        self.groups = groups
        self.notes = notes
        #: How much of the first group the cache holds; only an input that is longer than a batch takes several decodes.
        self.held = 0
        self.vectors: list[bytes] = []
        self.prompt_tokens = sum(len(tokens) for group in groups for tokens in group)

    @property
    def is_over(self) -> bool:
        """Return whether every input has its vector."""
        return not self.groups

    @property
    def next_tokens(self) -> int:
        """Return how many tokens the rest of the first group takes."""
        return sum(map(len, self.groups[0])) - self.held


class Embedder:
    """Turns inputs into vectors, or pairs into scores. It uses sequences `first` and up, which nobody else may use."""

    def __init__(self, context: Context, model: Model, *, limit: int, first: int, sequences: int) -> None:
        self._context = context
        self._vocabulary = model.vocabulary
        self._ranking = Ranking(model) if context.is_ranking else None
        #: A model that looks both ways, or takes the mean, needs its input in one batch.
        self._limit = limit if context.is_splittable else min(limit, context.batch_tokens)
        self._first = first
        self._sequences = sequences
        self.width = 1 if self._ranking else model.width

    def job(self, id_: int, inputs: tuple[str, ...], *, truncate: bool) -> EmbedJob:
        """Return the job of a request; raise ContextExceeded for an input that is too long when it must not be cut."""
        if self._ranking is not None:
            raise Unsupported("this model ranks documents; it gives no embeddings")
        tokens = [self._tokens(text) for text in inputs]
        return self._job(id_, tokens, [self._fitting(one, truncate=truncate) for one in tokens])

    def ranking(self, id_: int, query: str, documents: tuple[str, ...], *, truncate: bool) -> EmbedJob:
        """Return the job of ranking documents; raise ContextExceeded for a pair that is too long."""
        ranking = self._ranking
        if ranking is None:
            raise Unsupported("this model has no head that ranks documents")
        pairs = [ranking.tokens(query, text) for text in documents]
        short = [ranking.shortened(query, text, self._limit) for text in documents] if truncate else pairs
        return self._job(id_, pairs, [self._fitting(tokens, truncate=False) for tokens in short])

    def advance(self, job: EmbedJob) -> None:
        """Evaluate one batch; each vector is kept as 32-bit floats."""
        group = job.groups[0]
        batch, ends = Batch(), []
        for offset, tokens in enumerate(group):
            part = tokens[job.held : job.held + self._context.batch_tokens]
            batch.add(part, job.held, self._first + offset, len(part))
            ends.append(len(batch.tokens) - 1)
        self._context.embed(on=True)
        try:
            if status := self._context.decode(batch):
                raise RunnerError(f"the model could not evaluate the inputs (llama_decode says {status})")
            job.held += len(batch.tokens)
            if not job.next_tokens:
                job.vectors += self._vectors(ends)
                self.release(job)
                job.groups.pop(0)
        except CorralError:
            self.release(job)
            raise
        finally:
            self._context.embed(on=False)

    def release(self, job: EmbedJob) -> None:
        """Take out of the cache what it holds of a job."""
        job.held = 0
        for offset in range(self._sequences):
            self._context.memory.remove(self._first + offset, 0)

    def _job(self, id_: int, given: list[list[int]], inputs: list[list[int]]) -> EmbedJob:
        cut = sum(len(tokens) > self._limit for tokens in given)
        note = Note("input_truncated", f"{cut} of {len(given)} inputs were cut to {self._limit} tokens")
        return EmbedJob(id_, list(self._groups(inputs)), (note,) if cut else ())

    def _tokens(self, text: str) -> list[int]:
        return self._vocabulary.whole_input(text) or [self._vocabulary.start_token]

    def _fitting(self, tokens: list[int], *, truncate: bool) -> list[int]:
        if len(tokens) <= self._limit:
            return tokens
        if not truncate:
            raise ContextExceeded(tokens=len(tokens), context=self._limit)
        end = tokens[-1:] if tokens[-1] == self._vocabulary.end else []
        return [*tokens[: self._limit - len(end)], *end]

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

    def _vectors(self, ends: list[int]) -> list[bytes]:
        if self._context.is_pooling:
            found = [self._context.pooled(self._first + offset) for offset in range(len(ends))]
        else:
            # A model that only writes text pools nothing; its last token has seen all the others.
            found = [self._context.embedding(end) for end in ends]
        if not all(np.isfinite(vector).all() for vector in found):
            raise Unsupported("the model gives no embedding: its vectors are not finite numbers")
        return [self._meaning(vector).astype("<f4").tobytes() for vector in found]

    def _meaning(self, vector: Floats) -> Floats:
        return self._ranking.relevance(vector) if self._ranking else vector
