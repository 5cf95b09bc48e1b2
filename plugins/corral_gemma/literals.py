"""Write values in Gemma's literals: strings between special tokens, so that no text can end them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corral.conversation import Json, JsonObject
    from corral.formats import PromptBuilder

_QUOTE = '<|"|>'


@dataclass(frozen=True, slots=True)
class Fields:
    """An object of a declaration: bare keys, in the order given."""

    items: tuple[tuple[str, LiteralValue], ...]


LiteralValue: TypeAlias = "Fields | Json"


def write_literal(prompt: PromptBuilder, value: LiteralValue, *, bare_keys: bool) -> None:
    """Write a value; the keys of objects are sorted, and quoted unless they shall be bare."""
    match value:
        case Fields(items):
            prompt.user("{")
            write_fields(prompt, items, bare_keys=False)
            prompt.user("}")
        case str():
            _quote(prompt, value)
        case bool():
            prompt.user("true" if value else "false")
        case dict():
            _object(prompt, value, bare_keys=bare_keys)
        case list():
            prompt.user("[")
            for index, item in enumerate(value):
                prompt.user("," if index else "")
                write_literal(prompt, item, bare_keys=bare_keys)
            prompt.user("]")
        case _:
            prompt.user(str(value))


def write_fields(prompt: PromptBuilder, items: Iterable[tuple[str, LiteralValue]], *, bare_keys: bool) -> None:
    """Write the fields of an object, without its braces."""
    for index, (key, value) in enumerate(items):
        prompt.user(f"{',' if index else ''}{key}:")
        write_literal(prompt, value, bare_keys=bare_keys)


def in_key_order(values: JsonObject) -> list[tuple[str, Json]]:
    """Return the items of an object as templates sort them: by key, whatever the case."""
    return sorted(values.items(), key=lambda item: item[0].lower())


def _object(prompt: PromptBuilder, value: JsonObject, *, bare_keys: bool) -> None:
    prompt.user("{")
    for index, (key, item) in enumerate(in_key_order(value)):
        prompt.user("," if index else "")
        if bare_keys:
            prompt.user(key)
        else:
            _quote(prompt, key)
        prompt.user(":")
        write_literal(prompt, item, bare_keys=bare_keys)
    prompt.user("}")


def _quote(prompt: PromptBuilder, text: str) -> None:
    prompt.control(_QUOTE).user(text).control(_QUOTE)
