"""A loaded model as the engine sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from corral.events import TokenLogprob
from corral_llama_cpp.native.candidates import Candidates
from corral_llama_cpp.native.sampling import sampler
from corral_llama_cpp.native.shortlist import top_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral_llama_cpp.engine.seams import Batch, Guesser, Memory, Sampler
    from corral_llama_cpp.native.context import Context
    from corral_llama_cpp.native.model import Model
    from corral_llama_cpp.wire import Generate


class LlamaBackend:
    """One model with one context; see `engine.seams.Backend`."""

    def __init__(self, model: Model, context: Context, context_tokens: int, guesser: Guesser | None) -> None:
        self.guesser = guesser
        self._context = context
        self._vocabulary = model.vocabulary
        self._candidates = Candidates(model.vocabulary.size)
        self.memory: Memory = context.memory
        self.batch_tokens = context.batch_tokens
        self.context_tokens = context_tokens
        self.can_shift = context.memory.can_shift
        self.cut = model.cut
        self.adds_bos = model.vocabulary.adds_bos
        self.start_token = model.vocabulary.start_token
        self._ends = model.vocabulary.ends

    def decode(self, batch: Batch) -> int:
        """Evaluate a batch."""
        return self._context.decode(batch)

    def sampler(self, request: Generate, prompt: Sequence[int]) -> Sampler:
        """Return the sampler of a request."""
        return sampler(self._context, self._candidates, self._vocabulary, request, prompt, self.context_tokens)

    def probabilities(self, row: int, token: int, top: int) -> TokenLogprob:
        """Return the log probability of a token in an output row, and the `top` most likely ones."""
        logits = self._context.logits(row).astype(np.float64)
        peak = logits.max()
        total = peak + np.log(np.exp(logits - peak).sum())
        best = sorted(top_ids(logits, top), key=lambda other: -logits[other])[:top] if top else ()
        others = tuple(self._probability(int(other), logits[other] - total) for other in best)
        return self._probability(token, logits[token] - total, others)

    def piece(self, token: int) -> bytes:
        """Return the bytes of a token."""
        return self._vocabulary.piece(token)

    def is_end(self, token: int) -> bool:
        """Return whether a token ends the answer."""
        return token in self._ends

    def _probability(self, token: int, logprob: float, top: tuple[TokenLogprob, ...] = ()) -> TokenLogprob:
        data = self.piece(token)
        return TokenLogprob(data.decode("utf-8", "replace"), float(logprob), data, top)
