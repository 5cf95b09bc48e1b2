"""Which JSON embeddings and rankings read and write."""

from __future__ import annotations

from msgspec import Struct


class EmbeddingsRequest(Struct):
    """POST /v1/embeddings."""

    model: str = ""
    input: str | list[object] | None = None
    encoding_format: str = "float"
    dimensions: int = 0
    options: dict[str, object] = {}
    keep_alive: bool | float | str | None = None
    truncate: bool = False


class DocumentText(Struct):
    """A document with its text under a name."""

    text: str


class RerankRequest(Struct):
    """POST /v1/rerank."""

    model: str = ""
    query: str = ""
    documents: list[str | DocumentText] = []
    top_n: int = 0
    return_documents: bool = False
    options: dict[str, object] = {}
    keep_alive: bool | float | str | None = None
    truncate: bool = False


class EmbeddingOut(Struct):
    """A vector, as numbers or packed."""

    embedding: list[float] | str
    index: int
    object: str = "embedding"


class EmbeddingUsage(Struct):
    """What vectors or scores cost."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsAnswer(Struct):
    """The answer of /v1/embeddings."""

    data: list[EmbeddingOut]
    model: str
    usage: EmbeddingUsage
    object: str = "list"


class RankedDocument(Struct, omit_defaults=True):
    """A document's place in the request, how relevant it is from 0 to 1, and its text when that was asked for."""

    index: int
    relevance_score: float
    document: DocumentText | None = None


class RerankAnswer(Struct):
    """The answer of /v1/rerank."""

    id: str
    model: str
    results: list[RankedDocument]
    usage: EmbeddingUsage
    object: str = "list"
