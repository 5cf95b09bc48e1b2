"""How a query and a document become one input for each kind of vocabulary, and what a head's figures mean."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from corral.errors import Unsupported
from corral_llama_cpp.native.ranking import Ranking

if TYPE_CHECKING:
    from corral_llama_cpp.native.model import Model

BOS, EOS, SEP = 1, 2, 3


def ranking(*, classes: int = 1, architecture: str = "bert", **marks: int | bool) -> Ranking:
    vocabulary = SimpleNamespace(plain=lambda text: list(map(ord, text)), text=lambda tokens: "".join(map(chr, tokens)), bos=BOS, sep=SEP)
    vars(vocabulary).update({"adds_bos": True, "adds_eos": False, "adds_sep": False, "end": EOS, **marks})
    model = SimpleNamespace(vocabulary=vocabulary, template=lambda _: "", classes=classes, architecture=architecture)
    return Ranking(cast("Model", model))


@pytest.mark.parametrize(
    ("marks", "tokens"),
    [
        ({"adds_eos": True, "adds_sep": True}, [BOS, "q", EOS, SEP, "d", EOS]),
        ({"adds_eos": True, "end": SEP}, [BOS, "q", SEP, "d", SEP]),
        ({"adds_sep": True}, [BOS, "q", SEP, "d", SEP]),
        ({"adds_bos": False}, ["q", "d"]),
    ],
    ids=["RoBERTa", "BERT", "an old file of BERT", "no marks"],
)
def test_a_pair_has_the_marks_that_its_file_asks_for(marks: dict[str, bool], tokens: list[int | str]) -> None:
    assert ranking(**marks).tokens("q", "d") == [ord(token) if isinstance(token, str) else token for token in tokens]


@pytest.mark.parametrize(("limit", "kept"), [(9, "document"), (5, "docu"), (1, ""), (0, "")])
def test_the_end_of_a_document_is_cut(limit: int, kept: str) -> None:
    assert ranking().shortened("", "document", limit) == [BOS, *map(ord, kept)]


def test_figures_become_shares() -> None:
    figures = np.array([2.0, -1.0], np.float32)

    assert ranking().relevance(figures[:1]) == pytest.approx([1 / (1 + np.exp(-2))])
    assert ranking(classes=2, architecture="qwen3").relevance(np.array([0.75, 0.25], np.float32)) == pytest.approx([0.75])
    with pytest.raises(Unsupported, match="sorts texts into 2 classes"):
        ranking(classes=2).relevance(figures)
