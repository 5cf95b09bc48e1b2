"""Answer what a tool's schema says about its parameters, and turn a parameter's raw text into the JSON that it allows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from corral.events import CallStatus
from corral.formats.strict_json import dump_json, is_number, load_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from corral.conversation import Json, JsonObject

_INTEGER = re.compile(r"([+-]?)0*([0-9]{1,300})(?:\.0+)?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
#: Schemas may refer to themselves; nobody nests type declarations deeper than this.
_MAX_REFERENCES = 16


@dataclass(frozen=True, slots=True)
class ParameterType:
    """The JSON types that a parameter takes; empty when nothing is known."""

    types: frozenset[str] = frozenset()

    @property
    def is_known(self) -> bool:
        """Return whether the schema says anything about the type."""
        return bool(self.types)

    @property
    def is_text(self) -> bool:
        """Return whether every text is a value as it is, so that it can be passed on while it is written."""
        return self.types <= {"string", "null"} and self.types != {"null"}

    @property
    def admits_null(self) -> bool:
        """Return whether null is a value."""
        return "null" in self.types


class ToolSchemas:
    """The tools of one request, by name."""

    def __init__(self, tools: Iterable[JsonObject]) -> None:
        self._functions = {name: function for function in map(function_of, tools) if isinstance(name := function.get("name"), str)}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names in the client's order."""
        return tuple(self._functions)

    def declares(self, name: str) -> bool:
        """Return whether a tool has that name."""
        return name in self._functions

    def parameters(self, name: str) -> JsonObject:
        """Return the parameters' schema of a tool; an empty object when it has none."""
        return _object(self._functions.get(name, {}).get("parameters"))

    def properties(self, name: str) -> JsonObject:
        """Return the declared parameters of a tool, by name."""
        schema = self.parameters(name)
        return _object(_resolve(schema, schema).get("properties"))

    def required(self, name: str) -> frozenset[str]:
        """Return the names of the parameters that a call of a tool must have."""
        schema = self.parameters(name)
        return frozenset(key for key in _list(_resolve(schema, schema).get("required")) if isinstance(key, str))

    def parameter_type(self, name: str, parameter: str) -> ParameterType:
        """Return what values a parameter takes."""
        return type_of(_object(self.properties(name).get(parameter)), self.parameters(name))


def function_of(tool: JsonObject) -> JsonObject:
    """Return a tool's function, whether it is wrapped in `function` or stands flat."""
    return _object(tool.get("function")) or tool


def type_of(schema: JsonObject, root: JsonObject) -> ParameterType:
    """Return what values a schema admits; `root` is where its references start."""
    return ParameterType(_types(schema, root, {}, depth=0))


def _types(schema: JsonObject, root: JsonObject, known: dict[int, frozenset[str]], *, depth: int) -> frozenset[str]:
    """Return the types of a schema; `known` keeps those already found, so that branches that share parts don't multiply."""
    schema = _resolve(schema, root)
    if not schema or id(schema) in known:
        return known.get(id(schema), frozenset())
    known[id(schema)] = frozenset()
    types = set(_type_names(schema.get("type")))
    branches = _list(schema.get("anyOf")) + _list(schema.get("oneOf")) + _list(schema.get("allOf"))
    for branch in branches if depth < _MAX_REFERENCES else ():
        types |= _types(_object(branch), root, known, depth=depth + 1)
    types = types or _types_of_literals(schema)
    if schema.get("nullable") is True and types:
        types.add("null")
    known[id(schema)] = frozenset(types)
    return known[id(schema)]


def alternatives(schema: JsonObject, root: JsonObject, *, depth: int = 0) -> Iterator[JsonObject]:
    """Yield the schemas any one of which a value must keep to, references followed."""
    merged = _resolve(schema, root)
    for part in _list(merged.get("allOf")):
        merged = {key: value for key, value in merged.items() if key != "allOf"} | _resolve(_object(part), root)
    branches = _list(merged.get("anyOf")) + _list(merged.get("oneOf"))
    if not branches or depth >= _MAX_REFERENCES:
        yield merged
        return
    base = {key: value for key, value in merged.items() if key not in ("anyOf", "oneOf")}
    for branch in branches:
        yield from alternatives(base | _resolve(_object(branch), root), root, depth=depth + 1)


def _types_of_literals(schema: JsonObject) -> set[str]:
    """Return the types that a schema without types implies, by its values or by what it says about them."""
    literals = _list(schema.get("enum")) + ([schema["const"]] if "const" in schema else [])
    implied = {"properties": "object", "additionalProperties": "object", "items": "array"}
    return {_type_name(value) for value in literals} or {name for key, name in implied.items() if key in schema}


def _type_name(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"


@dataclass(frozen=True, slots=True)
class Coerced:
    """JSON text of a value, and whether the schema's types could hold it."""

    json: str
    status: CallStatus = field(default=CallStatus.OK)


def coerce(raw: str, kind: ParameterType) -> Coerced:
    """Return raw text as JSON of one of the admitted types, lossless; otherwise as a string, with a status.

    A parameter that can only be a string keeps its text as it is, even the text `null`.
    """
    if not kind.is_known:
        return Coerced("null" if raw == "null" else dump_json(raw))
    text = raw.strip()
    if kind.admits_null and (text.lower() == "null" or text == "None"):
        return Coerced("null")
    for name in ("boolean", "integer", "number", "array", "object"):
        json = _as_type(text, name) if name in kind.types else None
        if json is not None:
            return Coerced(json)
    fits = "string" in kind.types
    return Coerced(dump_json(raw), CallStatus.OK if fits else CallStatus.COERCION_FAILED)


def _as_type(text: str, name: str) -> str | None:
    match name:
        case "boolean":
            return text.lower() if text.lower() in {"true", "false"} else None
        case "integer":
            found = _INTEGER.fullmatch(text)
            return f"{'-' if found[1] == '-' and found[2] != '0' else ''}{found[2]}" if found else None
        case "number":
            return _as_number(text)
        case _:
            return _as_container(text, list if name == "array" else dict)


def _as_number(text: str) -> str | None:
    if is_number(text):
        return text
    if not _NUMBER.fullmatch(text):
        return None
    mantissa, mark, exponent = text.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("+-").partition(".")
    plain = ("-" if text[0] == "-" else "") + (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "") + mark + exponent
    return plain if is_number(plain) else None


def _as_container(text: str, kind: type[list[Json]] | type[dict[str, Json]]) -> str | None:
    try:
        return text if isinstance(load_json(text), kind) else None
    except ValueError:
        return None


def _resolve(schema: JsonObject, root: JsonObject) -> JsonObject:
    for _ in range(_MAX_REFERENCES):
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        schema = follow(reference, root)
    return {}


def follow(reference: str, root: JsonObject) -> JsonObject:
    """Return the schema that a local reference (`#/$defs/name`) points to; an empty one if there is none."""
    node: Json = root
    for part in reference.removeprefix("#").split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        node = node.get(key) if isinstance(node, dict) else None
    return _object(node) if reference.startswith("#") else {}


def _type_names(value: Json) -> list[str]:
    return [name for name in (value if isinstance(value, list) else [value]) if isinstance(name, str)]


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list) else []
