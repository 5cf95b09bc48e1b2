"""Choose a token from logits as a request asks: its own chain, seed, grammar."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Protocol

import llama_cpp.llama_cpp as ll
import numpy as np

from corral.errors import InvalidOption
from corral_llama_cpp.engine.seams import SamplingFailed
from corral_llama_cpp.native.grammar import GrammarGate
from corral_llama_cpp.native.shortlist import top_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from corral.options import Sampling
    from corral_llama_cpp.native.candidates import Candidates
    from corral_llama_cpp.native.vocabulary import Vocabulary
    from corral_llama_cpp.wire import Generate

    Floats = npt.NDArray[np.float32]

#: Up to this many candidates, those that top_k keeps are found first, and the chain sees no others.
_SHORTLIST_MOST = 256
#: Sequences after which the DRY sampler starts anew, as llama.cpp has them.
_DRY_BREAKERS = (b"\n", b":", b'"', b"*")


class Rows(Protocol):
    """The logits of the last decode."""

    def logits(self, row: int) -> Floats:
        """Return the logits of an output row; they are valid until the next decode."""


class Greedy:
    """Takes the most likely token; it never sorts a vocabulary."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def sample(self, row: int) -> int:
        """Choose from the logits of an output row."""
        logits = self._rows.logits(row)
        token = int(logits.argmax())
        if not np.isfinite(logits[token]):
            raise SamplingFailed("the model's logits are not finite numbers")
        return token

    def close(self) -> None:
        """Nothing is held."""


class Chain:
    """Takes a token by the library's chain of samplers, kept to the grammar when there is one."""

    def __init__(
        self, rows: Rows, candidates: Candidates, vocabulary: Vocabulary, request: Generate, prompt: Sequence[int], context: int
    ) -> None:
        sampling = request.sampling
        self._rows = rows
        self._candidates = candidates
        self._gate = GrammarGate(vocabulary, request.grammar) if request.grammar else None
        self._shortlist = _shortlist(sampling)
        self._chain = ll.llama_sampler_chain_init(ll.llama_sampler_chain_default_params())
        for sampler in _samplers(sampling, vocabulary, context):
            ll.llama_sampler_chain_add(self._chain, sampler)
        self._remembers = _remembers(sampling)
        for token in prompt[-_remembered(sampling, context) :] if self._remembers else ():
            ll.llama_sampler_accept(self._chain, token)

    def sample(self, row: int) -> int:
        """Choose from the logits of an output row."""
        logits = self._rows.logits(row)
        if not np.isfinite(logits.max()):
            raise SamplingFailed("the model's logits are not finite numbers")
        token = self._apply(logits)
        if self._gate is not None and self._gate.is_awake and not self._gate.allows(token):
            token = self._constrained(logits, self._gate)
        if self._remembers:
            ll.llama_sampler_accept(self._chain, token)
        if self._gate is not None:
            self._gate.accept(token)
        return token

    def close(self) -> None:
        """Free the chain and the grammar."""
        if self._chain is not None:
            ll.llama_sampler_free(self._chain)
            self._chain = None
        if self._gate is not None:
            self._gate.close()

    def _apply(self, logits: Floats) -> int:
        if self._shortlist:
            ids = top_ids(logits, self._shortlist)
            self._candidates.fill(logits[ids], ids)
        else:
            self._candidates.fill(logits)
        self._candidates.apply(self._chain)
        return self._candidates.chosen

    def _constrained(self, logits: Floats, gate: GrammarGate) -> int:
        self._candidates.fill(logits)
        if not gate.rule_out(self._candidates):
            raise SamplingFailed("the grammar allows no token here")
        self._candidates.apply(self._chain)
        token = self._candidates.chosen
        # What the grammar leaves may be what the request's biases forbid; then the samplers choose among ruined logits.
        return token if gate.allows(token) else gate.end()


def sampler(
    rows: Rows, candidates: Candidates, vocabulary: Vocabulary, request: Generate, prompt: Sequence[int], context: int
) -> Greedy | Chain:
    """Return the sampler of a request; raise InvalidGrammar or InvalidOption for one that can't be."""
    for token, _ in request.sampling.logit_bias:
        if not vocabulary.holds(token):
            raise InvalidOption(f'option "logit_bias" names token {token}; the model has tokens 0 to {vocabulary.size - 1}')
    if request.grammar is None and _is_plainly_greedy(request.sampling):
        return Greedy(rows)
    return Chain(rows, candidates, vocabulary, request, prompt, context)


def _is_plainly_greedy(sampling: Sampling) -> bool:
    return sampling.temperature <= 0 and not _remembers(sampling) and not _changes_logits(sampling) and not sampling.mirostat


def _penalises(sampling: Sampling) -> bool:
    changes = sampling.repeat_penalty != 1 or sampling.presence_penalty != 0 or sampling.frequency_penalty != 0
    return changes and sampling.repeat_last_n != 0


def _remembers(sampling: Sampling) -> bool:
    return _penalises(sampling) or sampling.dry_multiplier > 0


def _remembered(sampling: Sampling, context: int) -> int:
    """Return how many tokens of the past the chain looks at."""
    windows = [sampling.repeat_last_n] if _penalises(sampling) else []
    windows += [sampling.dry_penalty_last_n] if sampling.dry_multiplier > 0 else []
    return max(_window(n, context) for n in windows)


def _window(wanted: int, context: int) -> int:
    # The library makes room for all of it at once: a window of billions would end the process.
    return context if wanted < 0 else min(wanted, context)


def _changes_logits(sampling: Sampling) -> bool:
    return bool(sampling.logit_bias) or sampling.ignore_eos


def _shortlist(sampling: Sampling) -> int:
    """Return how many candidates are enough for the same choice; 0 when all are needed."""
    if _remembers(sampling) or _changes_logits(sampling) or sampling.mirostat:
        return 0
    if sampling.temperature <= 0:
        return 1
    return sampling.top_k if 0 < sampling.top_k <= _SHORTLIST_MOST else 0


def _samplers(sampling: Sampling, vocabulary: Vocabulary, context: int) -> list[object]:
    """Return the samplers in the order of llama.cpp's own chain."""
    first = _biases(sampling, vocabulary) + _penalties(sampling, vocabulary, context)
    seed = _seed(sampling.seed)
    if sampling.temperature <= 0:
        return [*first, ll.llama_sampler_init_greedy()]
    if sampling.mirostat == 1:
        mirostat = ll.llama_sampler_init_mirostat(vocabulary.size, seed, sampling.mirostat_tau, sampling.mirostat_eta, 100)
        return [*first, ll.llama_sampler_init_temp(sampling.temperature), mirostat]
    if sampling.mirostat == 2:
        mirostat = ll.llama_sampler_init_mirostat_v2(seed, sampling.mirostat_tau, sampling.mirostat_eta)
        return [*first, ll.llama_sampler_init_temp(sampling.temperature), mirostat]
    return [*first, *_filters(sampling, seed), ll.llama_sampler_init_temp(sampling.temperature), ll.llama_sampler_init_dist(seed)]


def _filters(sampling: Sampling, seed: int) -> list[object]:
    filters = []
    if sampling.top_k > 0:
        filters.append(ll.llama_sampler_init_top_k(sampling.top_k))
    if sampling.typical_p < 1:
        filters.append(ll.llama_sampler_init_typical(sampling.typical_p, 1))
    if sampling.top_p < 1:
        filters.append(ll.llama_sampler_init_top_p(sampling.top_p, 1))
    if sampling.min_p > 0:
        filters.append(ll.llama_sampler_init_min_p(sampling.min_p, 1))
    if sampling.xtc_probability > 0:
        filters.append(ll.llama_sampler_init_xtc(sampling.xtc_probability, sampling.xtc_threshold, 1, seed))
    return filters


def _biases(sampling: Sampling, vocabulary: Vocabulary) -> list[object]:
    biases = list(sampling.logit_bias)
    if sampling.ignore_eos:
        biases += [(token, -np.inf) for token in vocabulary.ends]
    if not biases:
        return []
    array = (ll.llama_logit_bias * len(biases))(*(ll.llama_logit_bias(token, bias) for token, bias in biases))
    return [ll.llama_sampler_init_logit_bias(vocabulary.size, len(biases), array)]


def _penalties(sampling: Sampling, vocabulary: Vocabulary, context: int) -> list[object]:
    found = []
    if _penalises(sampling):
        last = _window(sampling.repeat_last_n, context)
        strengths = (max(sampling.repeat_penalty, 1e-6), sampling.frequency_penalty, sampling.presence_penalty)
        found.append(ll.llama_sampler_init_penalties(vocabulary.size, last, *strengths))
    if sampling.dry_multiplier > 0:
        found.append(_dry(sampling, vocabulary, context))
    return found


def _dry(sampling: Sampling, vocabulary: Vocabulary, context: int) -> object:
    last = _window(sampling.dry_penalty_last_n, context)
    breakers = (ctypes.c_char_p * len(_DRY_BREAKERS))(*_DRY_BREAKERS)
    strengths = (sampling.dry_multiplier, sampling.dry_base, sampling.dry_allowed_length)
    return ll.llama_sampler_init_dry(vocabulary.pointer, *strengths, last, breakers, len(_DRY_BREAKERS))


def _seed(seed: int) -> int:
    """Return a 32-bit seed; a fresh one for -1, and never the one that the library takes for "random"."""
    wanted = int.from_bytes(os.urandom(4)) if seed < 0 else seed
    return wanted % ll.LLAMA_DEFAULT_SEED
