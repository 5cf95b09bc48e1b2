"""Write values in Gemma's literals: strings between special tokens, so that no text can end them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corral.conversation import Json, JsonObject
    from corral.formats import PromptBuilder


@dataclass(frozen=True, slots=True)
class Fields:
    """An object of a declaration: bare keys, in the order given."""

    items: tuple[tuple[str, LiteralValue], ...]


LiteralValue: TypeAlias = "Fields | Json"


@dataclass(frozen=True, slots=True)
class LiteralWriter:
    """Writes values to a prompt; `quote` stands on both sides of a string."""

    prompt: PromptBuilder
    quote: str

    def value(self, value: LiteralValue, *, bare_keys: bool) -> None:
        """Write a value; the keys of objects are sorted, and quoted unless they shall be bare."""
        match value:
            case Fields(items):
                self.prompt.user("{")
                self.fields(items, bare_keys=False)
                self.prompt.user("}")
            case str():
                self._quoted(value)
            case bool():
                self.prompt.user("true" if value else "false")
            case dict():
                self._object(value, bare_keys=bare_keys)
            case list():
                self.prompt.user("[")
                for index, item in enumerate(value):
                    self.prompt.user("," if index else "")
                    self.value(item, bare_keys=bare_keys)
                self.prompt.user("]")
            case _:
                self.prompt.user(str(value))

    def fields(self, items: Iterable[tuple[str, LiteralValue]], *, bare_keys: bool) -> None:
        """Write the fields of an object, without its braces."""
        for index, (key, value) in enumerate(items):
            self.prompt.user(f"{',' if index else ''}{key}:")
            self.value(value, bare_keys=bare_keys)

    def _object(self, value: JsonObject, *, bare_keys: bool) -> None:
        self.prompt.user("{")
        for index, (key, item) in enumerate(in_key_order(value)):
            self.prompt.user("," if index else "")
            if bare_keys:
                self.prompt.user(key)
            else:
                self._quoted(key)
            self.prompt.user(":")
            self.value(item, bare_keys=bare_keys)
        self.prompt.user("}")

    def _quoted(self, text: str) -> None:
        self.prompt.control(self.quote).user(text).control(self.quote)


def in_key_order(values: JsonObject) -> list[tuple[str, Json]]:
    """Return the items of an object as templates sort them: by key, whatever the case."""
    return sorted(values.items(), key=lambda item: item[0].lower())
