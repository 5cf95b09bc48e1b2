"""Ask llama.cpp whether a model's tokens may write texts under a grammar; a grammar that it can't follow may end the process.

Run as `python grammar_child.py MODEL`: reads `[grammar, texts]` as JSON, one a line, and answers each with the list of what is
wrong with a text ("" is nothing), or with null when the grammar does not compile.
"""

from __future__ import annotations

import json
import sys

import llama_cpp.llama_cpp as ll

from corral.errors import InvalidGrammar
from corral.events import Grammar
from corral_llama_cpp.native.grammar import GrammarGate
from corral_llama_cpp.native.vocabulary import Vocabulary


def judge(vocabulary: Vocabulary, grammar: str, text: str) -> str:
    """Return where a text leaves the grammar; "" when it is a whole text of it."""
    gate = GrammarGate(vocabulary, Grammar(gbnf=grammar))
    written = ""
    for token in vocabulary.plain(text):
        if not gate.allows(token):
            return f"{vocabulary.piece(token)!r} is not allowed after {written!r}"
        gate.accept(token)
        written += vocabulary.piece(token).decode(errors="replace")
    may_end = any(gate.allows(token) for token in vocabulary.ends)
    gate.close()
    return "" if may_end else f"no end is allowed after {written!r}"


def answer(vocabulary: Vocabulary, grammar: str, texts: list[str]) -> list[str] | None:
    try:
        return [judge(vocabulary, grammar, text) for text in texts]
    except InvalidGrammar:
        return None


def main(path: str) -> None:
    params = ll.llama_model_default_params()
    params.vocab_only = True
    vocabulary = Vocabulary(ll.llama_model_load_from_file(path.encode(), params))
    for line in sys.stdin:
        print(json.dumps(answer(vocabulary, *json.loads(line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
