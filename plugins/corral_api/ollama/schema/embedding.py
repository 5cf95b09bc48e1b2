"""Which JSON the routes of vectors read and write."""

from __future__ import annotations

from msgspec import Struct


class EmbedRequest(Struct):
    """POST /api/embed."""

    model: str = ""
    input: object = None
    truncate: bool = True
    dimensions: int = 0
    options: dict[str, object] = {}
    keep_alive: bool | float | str | None = None


class EmbeddingsRequest(Struct):
    """POST /api/embeddings, the older form."""

    model: str = ""
    prompt: str = ""
    options: dict[str, object] = {}
    keep_alive: bool | float | str | None = None


class EmbedAnswer(Struct):
    """The answer of /api/embed."""

    model: str
    embeddings: list[list[float]]
    total_duration: int
    load_duration: int
    prompt_eval_count: int


class EmbeddingsAnswer(Struct):
    """The answer of /api/embeddings."""

    embedding: list[float]
