"""Write a grammar for values that stand as they are in front of a closing tag: text without quotes, everything else as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats.gbnf import literal, one_of
from corral.formats.pattern_grammar import letters_until
from corral.formats.schema import alternatives, type_of
from corral.formats.schema_grammar import schema_rule
from corral.formats.strict_json import dump_json
from corral.formats.string_grammar import text_grammar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.conversation import Json, JsonObject
    from corral.formats.gbnf import Rules


def bare_rule(rules: Rules, schema: JsonObject, root: JsonObject, path: str, close: str, *, frame: str = "") -> str:
    """Return the expression for a value and the closing tag; with a `frame` that stands before the tag.

    Where any text is a value, every text is let through, even one that reads like another type of the schema.
    """
    texts = _texts(schema, root, path, close)
    if not texts and type_of(schema, root).is_known:
        return f"{schema_rule(rules, schema, path, root)} {literal(frame + close)}"
    return _ended(rules, [*texts, *_others(rules, schema, root, path)], close, frame)


def text_rule(rules: Rules, schema: JsonObject, root: JsonObject, path: str, close: str) -> str:
    """Return the expression for a text that a schema admits, and the closing tag."""
    return _ended(rules, _texts(schema, root, path, close), close)


def _ended(rules: Rules, choices: list[str], close: str, frame: str = "") -> str:
    if "" in choices or not choices:
        # The closing tag alone, as the parser reads it: a model that leaves out the frame before it must not run on.
        return rules.until(close)
    return f"{one_of(choices)} {literal(frame + close)}"


def _texts(schema: JsonObject, root: JsonObject, path: str, close: str) -> list[str]:
    """Return an expression for each kind of text that a schema admits; "" is any text."""
    letters = letters_until(close)
    found: list[str] = []
    for branch in alternatives(schema, root):
        values = _values(branch)
        if values is not None:
            found += [literal(value) for value in values if isinstance(value, str)]
        elif "string" in type_of(branch, root).types:
            inside = text_grammar(branch, path, letters)
            found.append(f"({inside})" if inside else "")
    return found


def _others(rules: Rules, schema: JsonObject, root: JsonObject, path: str) -> Iterator[str]:
    """Yield an expression for each kind of value that is no text."""
    for branch in alternatives(schema, root):
        values = _values(branch)
        if values is not None:
            yield from (literal(dump_json(value)) for value in values if not isinstance(value, str))
            continue
        for name in sorted(type_of(branch, root).types - {"string"}):
            yield schema_rule(rules, branch | {"type": name}, path, root)


def _values(branch: JsonObject) -> list[Json] | None:
    """Return the only values that a schema admits; None when it names none."""
    if "const" in branch:
        return [branch["const"]]
    values = branch.get("enum")
    return values if isinstance(values, list) else None
