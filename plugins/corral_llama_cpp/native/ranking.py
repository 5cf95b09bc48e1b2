"""What a model that ranks is asked, and what its head's figures mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from corral.conversation import Segment, SegmentKind
from corral.errors import Unsupported

if TYPE_CHECKING:
    from corral_llama_cpp.native.context import Floats
    from corral_llama_cpp.native.model import Model
    from corral_llama_cpp.native.vocabulary import Vocabulary

#: Whose head says yes and no; llama.cpp makes shares of 1 of the two, yes first.
_YES_OR_NO = ("qwen3", "qwen3vl")
_PLACES = re.compile(r"(\{query\}|\{document\})")


class Ranking:
    """Asks one model how a document fits a query."""

    def __init__(self, model: Model) -> None:
        self._vocabulary = model.vocabulary
        self._template = model.template("rerank")
        self._classes = model.classes
        self._is_share = model.architecture in _YES_OR_NO

    def tokens(self, query: str, document: str) -> list[int]:
        """Return a query and a document as one input."""
        if self._template:
            return self._vocabulary.tokens(_filled(self._template, query, document))
        return _joined(self._vocabulary, query, document)

    def shortened(self, query: str, document: str, limit: int) -> list[int]:
        """Return an input of at most `limit` tokens, with as much of the document's beginning as fits; longer without any."""
        tokens = self.tokens(query, document)
        kept = self._vocabulary.plain(document)
        while len(tokens) > limit and kept:
            # Again, because the rest of a text may have other tokens than it had in the whole.
            del kept[limit - len(tokens) :]
            tokens = self.tokens(query, self._vocabulary.text(kept))
        return tokens

    def relevance(self, outputs: Floats) -> Floats:
        """Return the relevance, from 0 to 1, that the head's figures stand for."""
        if self._is_share:
            return outputs[:1]
        if self._classes > 1:
            raise Unsupported(f"the model sorts texts into {self._classes} classes; one that ranks has a single figure")
        return (1 / (1 + np.exp(-outputs[:1]))).astype(np.float32)


def _filled(template: str, query: str, document: str) -> list[Segment]:
    texts = {"{query}": query, "{document}": document}
    parts = filter(None, _PLACES.split(template))
    return [Segment(texts[part], SegmentKind.USER) if part in texts else Segment(part) for part in parts]


def _joined(vocabulary: Vocabulary, query: str, document: str) -> list[int]:
    """Return both with the marks that the model was trained with: [CLS] query [SEP] document [SEP], as BERT has them."""
    end = [vocabulary.end] if vocabulary.adds_eos else []
    between = [vocabulary.sep] if vocabulary.adds_sep else []
    start = [vocabulary.bos] if vocabulary.adds_bos else []
    # Files of old converters don't say that the second text is closed as well.
    return [*start, *vocabulary.plain(query), *end, *between, *vocabulary.plain(document), *(end or between)]
