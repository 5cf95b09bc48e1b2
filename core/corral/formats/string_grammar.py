"""Write a grammar for the strings that a JSON Schema admits: by pattern, by format, or by length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.errors import InvalidGrammar
from corral.formats.gbnf import repeat
from corral.formats.integer_grammar import integers
from corral.formats.pattern_grammar import IN_JSON, pattern_grammar

if TYPE_CHECKING:
    from corral.conversation import JsonObject
    from corral.formats.gbnf import Rules
    from corral.formats.pattern_grammar import Letters

_DATE = '[0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | [12] [0-9] | "3" [01])'
_TIME = '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,9})? ("Z" | [+-] ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9])'
_HEX = "[0-9a-fA-F]"
_FORMATS = {
    "date": _DATE,
    "time": _TIME,
    "date-time": f'{_DATE} "T" {_TIME}',
    "uuid": f'{_HEX}{{8}} "-" {_HEX}{{4}} "-" {_HEX}{{4}} "-" {_HEX}{{4}} "-" {_HEX}{{12}}',
}


def string_grammar(rules: Rules, schema: JsonObject, path: str) -> str:
    """Return the expression for a schema's strings, quotes included."""
    string = rules.json("string")
    inside = text_grammar(schema, path, IN_JSON)
    return f'"\\"" {inside} "\\""' if inside else string


def text_grammar(schema: JsonObject, path: str, letters: Letters) -> str:
    """Return the expression for the inside of a schema's strings; "" when it admits all."""
    kind = schema.get("format")
    if isinstance(pattern := schema.get("pattern"), str):
        return pattern_grammar(pattern, f"{path}.pattern", letters)
    if kind == "ipv4":
        octet = integers(0, 255)
        return f'{octet} ("." {octet}){{3}}'
    if isinstance(kind, str) and kind in _FORMATS:
        return _FORMATS[kind]
    least, most = count_of(schema, "minLength", path) or 0, count_of(schema, "maxLength", path)
    return repeat_at(letters.one, least, most, f"{path}.maxLength") if least or most is not None else ""


def repeat_at(item: str, least: int, most: int | None, path: str) -> str:
    """Return the expression repeated; raises InvalidGrammar with the path when it is too often."""
    try:
        return repeat(item, least, most)
    except InvalidGrammar as error:
        raise InvalidGrammar(f"{path}: {error}") from error


def count_of(schema: JsonObject, keyword: str, path: str) -> int | None:
    """Return a whole number that a schema gives; None when it does not."""
    value = schema.get(keyword)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidGrammar(f"{path}.{keyword}: must be a whole number that is not negative")
    return value
