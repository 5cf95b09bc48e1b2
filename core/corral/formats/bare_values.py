"""Write a grammar for values that stand as they are in front of a closing tag: text without quotes, everything else as JSON."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from corral.errors import InvalidGrammar
from corral.formats.gbnf import class_char, literal, one_of
from corral.formats.pattern_grammar import letters_until
from corral.formats.schema import alternatives, type_of
from corral.formats.schema_grammar import schema_rule
from corral.formats.strict_json import dump_json
from corral.formats.string_grammar import count_of, repeat_at, text_grammar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.conversation import Json, JsonObject
    from corral.formats.gbnf import Rules

#: A choice among references to itself multiplies at each step.
MAX_ALTERNATIVES: Final = 500


def bare_rule(rules: Rules, schema: JsonObject, root: JsonObject, path: str, close: str, *, frame: str = "") -> str:
    """Return the expression for a value and the closing tag; with a `frame` that stands before the tag.

    Where any text is a value, every text is let through, even one that reads like another type of the schema.
    """
    texts = _texts(rules, schema, root, path, frame, close)
    any_text = rules.until(close)
    if any_text in texts or not type_of(schema, root).is_known:
        return any_text
    others = list(_others(rules, schema, root, path)) if texts else [schema_rule(rules, schema, path, root)]
    return one_of([*texts, *(f"{other} {literal(frame + close)}" for other in others)])


def text_rule(rules: Rules, schema: JsonObject, root: JsonObject, path: str, close: str) -> str:
    """Return the expression for a text that a schema admits, and the closing tag."""
    return one_of(_texts(rules, schema, root, path, "", close)) if type_of(schema, root).is_known else rules.until(close)


def _texts(rules: Rules, schema: JsonObject, root: JsonObject, path: str, frame: str, close: str) -> list[str]:
    """Return an expression for each kind of text that a schema admits, with the closing tag."""
    found: list[str] = []
    for branch in _branches(schema, root, path):
        values = _values(branch)
        if values is not None:
            found += [literal(value + frame + close) for value in values if isinstance(value, str)]
        elif "string" in type_of(branch, root).types:
            found.append(_text(rules, branch, path, frame, close))
    return found


def _text(rules: Rules, schema: JsonObject, path: str, frame: str, close: str) -> str:
    letters = letters_until(close)
    if text_grammar({key: value for key, value in schema.items() if key != "minLength"}, path, letters):
        return f"({text_grammar(schema, path, letters)}) {literal(frame + close)}"
    # The closing tag alone, as the parser reads it: a model that leaves out the frame before it must not run on.
    least = count_of(schema, "minLength", path)
    return f"{repeat_at(_beginning(close), least, least, f'{path}.minLength')} {rules.until(close)}" if least else rules.until(close)


def _beginning(close: str) -> str:
    """Return the expression for a character or two that begin no closing tag."""
    first, second = class_char(close[0]), class_char(close[1:2] or close)
    return f"([^{first}] | {literal(close[0])} [^{first}{second}])"


def _others(rules: Rules, schema: JsonObject, root: JsonObject, path: str) -> Iterator[str]:
    """Yield an expression for each kind of value that is no text."""
    for branch in _branches(schema, root, path):
        values = _values(branch)
        if values is not None:
            yield from (literal(dump_json(value)) for value in values if not isinstance(value, str))
            continue
        for name in sorted(type_of(branch, root).types - {"string"}):
            yield schema_rule(rules, branch | {"type": name}, path, root)


def _branches(schema: JsonObject, root: JsonObject, path: str) -> list[JsonObject]:
    """Return the alternatives of a schema; raises InvalidGrammar when there is no end to them, as when they refer to themselves."""
    found = list(islice(alternatives(schema, root), MAX_ALTERNATIVES + 1))
    if len(found) > MAX_ALTERNATIVES:
        raise InvalidGrammar(f"{path}: has more than {MAX_ALTERNATIVES} alternatives")
    return found


def _values(branch: JsonObject) -> list[Json] | None:
    """Return the only values that a schema admits; None when it names none."""
    if "const" in branch:
        return [branch["const"]]
    values = branch.get("enum")
    return values if isinstance(values, list) else None
