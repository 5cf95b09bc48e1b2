"""Encoders and rerankers behind the real server, asked by the official clients."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import httpx2
import ollama
import openai
import pytest
from bert_models import random_bert, write_bert
from real_server import create, served

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.long

CLOSE = 5e-3
LONG = "rain " * 100


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve an encoder that takes the mean, and a reranker."""
    home = tmp_path_factory.mktemp("home")
    for name, pooling in (("encoder", "mean"), ("ranker", "rank")):
        path = write_bert(home / f"{name}.gguf", random_bert(head=pooling == "rank"), pooling=pooling)
        create(home, name, f"FROM {path}\nPARAMETER num_thread 1\n")
    with served(home) as url:
        yield url


@pytest.fixture
def native(url: str) -> Iterator[ollama.Client]:
    with ollama.Client(host=url) as client:
        yield client


@pytest.fixture
def compatible(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0) as client:
        yield client


def test_all_three_routes_give_the_vectors_of_the_reference(native: ollama.Client, compatible: openai.OpenAI) -> None:
    bert = random_bert()
    texts = ["the cat sat", "rain fell on the red hill", ""]
    expected = [pytest.approx(bert.pooled(bert.tokens(text), "mean"), abs=CLOSE) for text in texts]

    embedded = native.embed("encoder", texts)
    data = compatible.embeddings.create(model="encoder", input=texts)

    assert embedded.embeddings == expected
    assert [item.embedding for item in data.data] == expected
    assert native.embeddings("encoder", texts[0]).embedding == expected[0]
    assert embedded.prompt_eval_count == data.usage.prompt_tokens == 5 + 8 + 2


def test_vectors_have_length_1_however_short_they_are_cut(native: ollama.Client) -> None:
    for dimensions in (None, 5):
        (vector,) = native.embed("encoder", "the dog ran", dimensions=dimensions).embeddings
        assert (len(vector), math.hypot(*vector)) == (dimensions or 32, pytest.approx(1))


def test_a_text_that_is_too_long_is_cut_and_reported_or_refused_with_counts(url: str, native: ollama.Client) -> None:
    cut = httpx2.post(f"{url}/api/embed", json={"model": "encoder", "input": ["rain", LONG]})

    assert cut.headers["x-corral-notice"] == "input_truncated"
    assert cut.json()["prompt_eval_count"] == 3 + 64
    with pytest.raises(ollama.ResponseError, match="has 102 tokens and the context holds 64") as refused:
        native.embed("encoder", LONG, truncate=False)
    assert refused.value.status_code == 400


def test_an_encoder_says_what_it_is_for(native: ollama.Client, compatible: openai.OpenAI) -> None:
    assert native.show("encoder").capabilities == ["embedding"]
    assert native.show("ranker").capabilities == ["rerank"]
    with pytest.raises(ollama.ResponseError, match="does not support chat") as refused:
        native.chat("encoder", [{"role": "user", "content": "hi"}])
    assert refused.value.status_code == 400
    with pytest.raises(ollama.ResponseError, match="does not support chat or generate"):
        native.generate("encoder", "hi")
    with pytest.raises(openai.BadRequestError, match="does not support chat"):
        compatible.chat.completions.create(model="encoder", messages=[{"role": "user", "content": "hi"}])
    with pytest.raises(ollama.ResponseError, match="does not support embed"):
        native.embed("ranker", "hi")


def test_documents_are_ranked_as_by_the_reference(url: str) -> None:
    bert = random_bert(head=True)
    documents = ["the cat sat on the mat", "rain fell", "the sun"]
    body = {"model": "ranker", "query": "the red cat", "documents": documents, "return_documents": True}

    answer = httpx2.post(f"{url}/v1/rerank", json=body).json()

    scores = [1 / (1 + math.exp(-bert.score(bert.tokens(body["query"], document)))) for document in documents]
    best_first = sorted(range(3), key=lambda index: -scores[index])
    assert [result["index"] for result in answer["results"]] == best_first
    assert [result["relevance_score"] for result in answer["results"]] == pytest.approx([scores[n] for n in best_first], abs=CLOSE)
    assert [result["document"]["text"] for result in answer["results"]] == [documents[n] for n in best_first]
    assert answer["usage"]["prompt_tokens"] == sum(len(bert.tokens(body["query"], document)) for document in documents)


@pytest.mark.parametrize(
    ("change", "text"),
    [({"model": "encoder"}, "does not support rerank"), ({"documents": [LONG]}, "has 105 tokens and the context holds 64")],
)
def test_what_can_not_be_ranked_is_a_400(url: str, change: dict[str, object], text: str) -> None:
    body = {"model": "ranker", "query": "the cat", "documents": ["rain"], **change}

    answer = httpx2.post(f"{url}/v1/rerank", json=body)

    assert answer.status_code == 400
    assert text in answer.json()["error"]["message"]
