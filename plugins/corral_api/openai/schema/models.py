"""Which JSON tells of installed models."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class ModelOut(Struct):
    """An installed model; the last three keys are those that Anthropic's client reads on the same route."""

    id: str
    created: int
    owned_by: str
    display_name: str
    created_at: datetime
    type: str = "model"
    object: str = "model"


class ModelsAnswer(Struct):
    """The answer of /v1/models."""

    data: list[ModelOut]
    first_id: str | None
    last_id: str | None
    has_more: bool = False
    object: str = "list"
