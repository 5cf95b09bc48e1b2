"""Write a grammar for the JSON values that a JSON Schema admits.

Every keyword that narrows the values is followed, or refused with its path: what the sampler is told is what the schema says.
Two habits of all who constrain models are kept: properties are written in the schema's order, and an object that names
properties has no others unless `additionalProperties` says so. Bounds of numbers with fractions and `uniqueItems` are left
to the caller, because no grammar can count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.errors import InvalidGrammar
from corral.formats.gbnf import literal, one_of
from corral.formats.integer_grammar import integers
from corral.formats.member_grammar import in_order, other_key
from corral.formats.schema import follow
from corral.formats.strict_json import dump_json
from corral.formats.string_grammar import count_of, repeat_at, string_grammar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from corral.conversation import Json, JsonObject
    from corral.formats.gbnf import Rules

_REFUSED = ("not", "if", "then", "else", "dependentSchemas", "dependentRequired", "propertyNames", "contains", "unevaluatedProperties")
_OF_TYPE = {
    "object": ("properties", "additionalProperties", "required", "patternProperties", "minProperties", "maxProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems"),
    "string": ("pattern", "minLength", "maxLength"),
}


class SchemaGrammar:
    """Turns the schemas of one document into rules; `root` is where references start."""

    def __init__(self, rules: Rules, root: JsonObject, path: str) -> None:
        self._rules = rules
        self._root = root
        self._root_path = path
        self._references: dict[str, str] = {}

    def value(self, schema: Json, path: str) -> str:
        """Return the expression for the values of a schema."""
        if schema is True or schema == {}:
            return self._rules.json("value")
        if not isinstance(schema, dict):
            raise InvalidGrammar(f"{path}: must be an object that is a schema, not {dump_json(schema)}")
        for keyword in _REFUSED:
            if keyword in schema:
                raise InvalidGrammar(f"{path}.{keyword}: no grammar can follow this keyword")
        return self._rules.add(path.rpartition(".")[2], self._choose(schema, path))

    def _choose(self, schema: JsonObject, path: str) -> str:
        if "$ref" in schema:
            return self._reference(schema, path)
        for keyword in ("anyOf", "oneOf"):
            if isinstance(branches := schema.get(keyword), list):
                base = {key: value for key, value in schema.items() if key != keyword}
                return one_of(self._branch(base, branch, f"{path}.{keyword}[{index}]") for index, branch in enumerate(branches))
        if isinstance(parts := schema.get("allOf"), list):
            return self.value(self._all_of(schema, parts, path), path)
        if "const" in schema:
            return literal(dump_json(schema["const"]))
        if isinstance(values := schema.get("enum"), list):
            return one_of(literal(dump_json(value)) for value in values) if values else self._nothing(path)
        return self._typed(schema, path)

    def _branch(self, base: JsonObject, branch: Json, path: str) -> str:
        return self.value(_merged(base, branch, path) if base else branch, path)

    def _all_of(self, schema: JsonObject, parts: Sequence[Json], path: str) -> JsonObject:
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for index, part in enumerate(parts):
            merged = _merged(merged, self._resolved(part, f"{path}.allOf[{index}]"), path)
        return merged

    def _resolved(self, schema: Json, path: str) -> Json:
        seen: set[str] = set()
        while isinstance(schema, dict) and isinstance(reference := schema.get("$ref"), str):
            if reference in seen:
                raise InvalidGrammar(f"{path}: {reference} refers to itself")
            seen.add(reference)
            schema = self._target(reference, path)
        return schema

    def _target(self, reference: str, path: str) -> JsonObject:
        target = self._root if reference == "#" else follow(reference, self._root)
        if not target:
            raise InvalidGrammar(f"{path}.$ref: {reference} is not in the schema ({self._root_path})")
        return target

    def _reference(self, schema: JsonObject, path: str) -> str:
        reference = str(schema["$ref"])
        self._resolved(schema, path)
        target = self._target(reference, path)
        others = {
            key: value for key, value in schema.items() if key not in {"$ref", "$defs", "definitions", "description", "title", "default"}
        }
        if others:
            return self.value(_merged(others, self._resolved(target, path), path), path)
        if reference not in self._references:
            self._references[reference] = self._rules.reserve(reference.rpartition("/")[2])
            self._rules.define(self._references[reference], self.value(target, path))
        return self._references[reference]

    def _typed(self, schema: JsonObject, path: str) -> str:
        types = schema.get("type")
        names = types if isinstance(types, list) else [types] if types is not None else _implied(schema)
        if not names:
            return self._rules.json("value")
        choices = [self._type(schema, name, path) for name in names]
        if schema.get("nullable") is True:
            choices.append(self._rules.json("null"))
        return one_of(choices)

    def _type(self, schema: JsonObject, name: Json, path: str) -> str:
        match name:
            case "object":
                return self._object(schema, path)
            case "array":
                return self._array(schema, path)
            case "string":
                return string_grammar(self._rules, schema, path)
            case "integer":
                return self._integer(schema)
            case "number":
                return self._number(schema)
            case "boolean" | "null":
                return self._rules.json(name)
            case _:
                raise InvalidGrammar(f"{path}.type: {dump_json(name)} is no JSON type")

    def _integer(self, schema: JsonObject) -> str:
        least, most = _bounds(schema)
        return self._rules.json("integer") if least is None and most is None else integers(least, most)

    def _number(self, schema: JsonObject) -> str:
        least, _ = _bounds(schema)
        if least is not None and least >= 0:
            return f"{self._rules.json('natural')} {self._rules.json('tail')}"
        return self._rules.json("number")

    def _array(self, schema: JsonObject, path: str) -> str:
        least, most = count_of(schema, "minItems", path) or 0, count_of(schema, "maxItems", path)
        fixed = schema.get("prefixItems")
        if isinstance(fixed, list):
            return self._tuple(schema, fixed, path)
        if most == 0:
            return f'"[" {self._rules.json("ws")} "]"'
        item = self.value(schema.get("items", {}), f"{path}.items")
        ws = self._rules.json("ws")
        more = repeat_at(f'("," {ws} {item})', max(least - 1, 0), None if most is None else most - 1, f"{path}.maxItems")
        inside = f"{item} {more}"
        return f'"[" {ws} {inside if least else f"({inside})?"} {ws} "]"'

    def _tuple(self, schema: JsonObject, fixed: Sequence[Json], path: str) -> str:
        ws = self._rules.json("ws")
        items = [self.value(item, f"{path}.prefixItems[{index}]") for index, item in enumerate(fixed)]
        rest = schema.get("items", False)
        tail = f' ("," {ws} {self.value(rest, f"{path}.items")})*' if rest is not False else ""
        return f'"[" {ws} {f" {chr(34)},{chr(34)} {ws} ".join(items)}{tail} {ws} "]"'

    def _object(self, schema: JsonObject, path: str) -> str:
        properties = schema.get("properties")
        members = properties if isinstance(properties, dict) else {}
        others = schema.get("additionalProperties", not members)
        required = schema.get("required")
        needed = {key for key in required if isinstance(key, str)} if isinstance(required, list) else set()
        if not members and not needed and others in (True, {}):
            return self._rules.json("object")
        if missing := needed - set(members):
            members = members | dict.fromkeys(sorted(missing), True)
        inside = in_order(self._rules, self._members(members, needed, path), self._other(members, others, path))
        ws = self._rules.json("ws")
        return f'"{{" {ws} {inside} {ws} "}}"'

    def _members(self, members: Mapping[str, Json], needed: set[str], path: str) -> list[tuple[str, bool]]:
        ws = self._rules.json("ws")
        return [
            (f'{literal(dump_json(key))} ":" {ws} {self.value(schema, f"{path}.properties.{key}")}', key in needed)
            for key, schema in members.items()
        ]

    def _other(self, members: Mapping[str, Json], schema: Json, path: str) -> str:
        """Return the expression for a member with a name that is not declared; "" when there may be none."""
        if schema is False:
            return ""
        key = other_key(self._rules, members)
        return f'{key} ":" {self._rules.json("ws")} {self.value(schema, f"{path}.additionalProperties")}'

    def _nothing(self, path: str) -> str:
        raise InvalidGrammar(f"{path}.enum: is empty, so no value is allowed")


def _merged(base: JsonObject, other: Json, path: str) -> JsonObject:
    """Return a schema that says what both say; properties and requirements add up."""
    if not isinstance(other, dict):
        raise InvalidGrammar(f"{path}: must be an object that is a schema, not {dump_json(other)}")
    merged = base | other
    for key in ("properties", "$defs"):
        mine, theirs = base.get(key), other.get(key)
        if isinstance(mine, dict) and isinstance(theirs, dict):
            merged[key] = mine | theirs
    mine, theirs = base.get("required"), other.get("required")
    if isinstance(mine, list) and isinstance(theirs, list):
        merged["required"] = [*mine, *(name for name in theirs if name not in mine)]
    return merged


def _implied(schema: JsonObject) -> list[Json]:
    implied: list[Json] = [name for name, keywords in _OF_TYPE.items() if any(keyword in schema for keyword in keywords)]
    return implied[:1]


def _bounds(schema: JsonObject) -> tuple[int | None, int | None]:
    """Return the least and the greatest integer between a schema's bounds."""
    least = [_whole(schema.get("minimum"), up=True), _whole(schema.get("exclusiveMinimum"), up=False, step=1)]
    most = [_whole(schema.get("maximum"), up=False), _whole(schema.get("exclusiveMaximum"), up=True, step=-1)]
    lows = [bound for bound in least if bound is not None]
    highs = [bound for bound in most if bound is not None]
    return max(lows, default=None), min(highs, default=None)


def _whole(bound: Json, *, up: bool, step: int = 0) -> int | None:
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        return None
    return (-int(-bound // 1) if up else int(bound // 1)) + step


def schema_rule(rules: Rules, schema: Json, path: str = "format", root: JsonObject | None = None) -> str:
    """Return the expression for the JSON values of a schema; `path` names it in messages."""
    document = root if root is not None else schema if isinstance(schema, dict) else {}
    try:
        return SchemaGrammar(rules, document, path).value(schema, path)
    except RecursionError as error:
        raise InvalidGrammar(f"{path}: is nested too deeply") from error
