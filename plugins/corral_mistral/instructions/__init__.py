"""The default instructions of Mistral's models: what their references say when a client gives none."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral.conversation import Json
    from corral.formats import PromptBuilder

_DATE = "{date}"


def write_instructions(prompt: PromptBuilder, model: str, date: Json) -> None:
    """Write the instructions of a model; the date of those that tell one is left out unless the client gives it."""
    # A renderer has no clock, and a date that changes every day would cost every cached prefix.
    before, marker, after = _text(model).partition(_DATE)
    prompt.control(before)
    if marker and date:
        prompt.control(" The current date is ").user(str(date)).control(".")
    prompt.control(after)


@lru_cache
def _text(model: str) -> str:
    return files(__name__).joinpath(f"{model}.txt").read_text(encoding="utf-8").removesuffix("\n")
