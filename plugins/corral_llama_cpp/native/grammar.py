"""Keep an answer to a grammar, from its first token or from a trigger on."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import llama_cpp.llama_cpp as ll
import numpy as np

from corral.errors import InvalidGrammar

if TYPE_CHECKING:
    from corral.events import Grammar
    from corral_llama_cpp.native.vocabulary import Vocabulary

_CANDIDATE_BYTES = 12


class GrammarGate:
    """Says which tokens a grammar allows next.

    Triggers are watched here and not by the library's lazy grammars: there, a token that completes a trigger and goes on
    against the grammar throws a C++ exception, which ends the process.
    """

    def __init__(self, vocabulary: Vocabulary, grammar: Grammar) -> None:
        self._vocabulary = vocabulary
        self._triggers = [trigger.encode() for trigger in grammar.triggers if trigger]
        self._longest = max(map(len, self._triggers), default=0)
        self._tail = b""
        self._one = (ll.llama_token_data * 1)()
        self._view = ll.llama_token_data_array()
        self._grammar = ll.llama_sampler_init_grammar(vocabulary.pointer, grammar.gbnf.encode(), grammar.root.encode())
        if not self._grammar:
            raise InvalidGrammar(f"the grammar does not parse, or has no rule '{grammar.root}'")
        self.is_awake = not self._triggers

    def allows(self, token: int) -> bool:
        """Return whether the grammar allows a token next."""
        self._one[0].id, self._one[0].logit, self._one[0].p = token, 0.0, 0.0
        view = self._view
        view.data, view.size, view.selected, view.sorted = self._one, 1, -1, False
        ll.llama_sampler_apply(self._grammar, ctypes.byref(view))
        return bool(np.isfinite(self._one[0].logit))

    def rule_out(self, view: ll.llama_token_data_array) -> bool:
        """Set the logits of all candidates that the grammar forbids to minus infinity; False when none is left."""
        ll.llama_sampler_apply(self._grammar, ctypes.byref(view))
        address = ctypes.addressof(view.data.contents) if view.size else 0
        raw = (ctypes.c_char * (view.size * _CANDIDATE_BYTES)).from_address(address)
        logits = np.frombuffer(raw, np.float32)[1::3]
        return bool(np.isfinite(logits.max()))

    def accept(self, token: int) -> None:
        """Take the token that was chosen."""
        if self.is_awake:
            ll.llama_sampler_accept(self._grammar, token)
        elif token not in self._vocabulary.ends:
            self._watch(self._vocabulary.piece(token))

    def close(self) -> None:
        """Free the grammar."""
        if self._grammar:
            ll.llama_sampler_free(self._grammar)
            self._grammar = None

    def _watch(self, piece: bytes) -> None:
        self._tail += piece
        starts = [at for trigger in self._triggers if (at := self._tail.find(trigger)) >= 0]
        if starts:
            self.is_awake = True
            self._catch_up(self._tail[min(starts) :])
        elif self._longest > 1:
            self._tail = self._tail[-(self._longest - 1) :]

    def _catch_up(self, written: bytes) -> None:
        """Feed the grammar what was written from the trigger on, as far as it allows it."""
        for token in self._vocabulary.plain(written.decode("utf-8", "ignore")):
            if not self.allows(token):
                return
            ll.llama_sampler_accept(self._grammar, token)
