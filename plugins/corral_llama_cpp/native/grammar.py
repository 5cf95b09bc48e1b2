"""Keep an answer to a grammar, from its first token or from a trigger on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import llama_cpp.llama_cpp as ll

from corral.errors import InvalidGrammar
from corral_llama_cpp.engine.seams import SamplingFailed
from corral_llama_cpp.native.candidates import Candidates

if TYPE_CHECKING:
    from corral.events import Grammar
    from corral_llama_cpp.native.vocabulary import Vocabulary


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
        self._one = Candidates(1)
        # An empty grammar would be taken for none at all.
        if not grammar.gbnf.strip():
            raise InvalidGrammar("the grammar is empty")
        self._grammar = ll.llama_sampler_init_grammar(vocabulary.pointer, grammar.gbnf.encode(), grammar.root.encode())
        if not self._grammar:
            raise InvalidGrammar(f"the grammar does not parse, or has no rule '{grammar.root}'")
        self.is_awake = not self._triggers

    def allows(self, token: int) -> bool:
        """Return whether the grammar allows a token next."""
        self._one.fill_one(token)
        return self.rule_out(self._one)

    def rule_out(self, candidates: Candidates) -> bool:
        """Set the logits of all candidates that the grammar forbids to minus infinity; False when none is left."""
        candidates.apply(self._grammar)
        return candidates.is_any_left

    def end(self) -> int:
        """Return a token that ends the answer; raise SamplingFailed where the grammar wants more."""
        for token in sorted(self._vocabulary.ends):
            if self.allows(token):
                return token
        raise SamplingFailed("the options of the request rule out every token that the grammar allows here")

    def accept(self, token: int) -> None:
        """Take the token that was chosen; one that the grammar forbids would end the process by a C++ exception."""
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
