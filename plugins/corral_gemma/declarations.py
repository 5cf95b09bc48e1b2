"""Describe tools the way Gemma 4 was shown them: a choice of the schema's keywords, in a fixed order.

One difference: the reference leaves out parameters that are named like a keyword (`type`, `description`); here they are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import function_of
from corral_gemma.literals import Fields, in_key_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.conversation import Json, JsonObject
    from corral_gemma.literals import LiteralValue


def declaration(tool: JsonObject) -> tuple[str, Fields]:
    """Return a tool's name and description."""
    function = function_of(tool)
    fields: list[tuple[str, LiteralValue]] = [("description", str(function.get("description", "")))]
    parameters = _object(function.get("parameters"))
    if parameters:
        fields.append(("parameters", Fields(tuple(_parameters(parameters)))))
    return str(function.get("name", "")), Fields(tuple(fields))


def _parameters(schema: JsonObject) -> Iterator[tuple[str, LiteralValue]]:
    if schema.get("properties"):
        yield "properties", _properties(schema["properties"])
    if schema.get("required"):
        yield "required", schema["required"]
    if schema.get("type"):
        yield "type", _upper(schema["type"])


def _properties(value: Json) -> Fields:
    return Fields(tuple((key, Fields(tuple(_property(_object(schema))))) for key, schema in in_key_order(_object(value))))


def _property(schema: JsonObject) -> Iterator[tuple[str, LiteralValue]]:
    kind = _upper(schema.get("type", ""))
    if schema.get("description"):
        yield "description", schema["description"]
    if kind == "STRING" and schema.get("enum"):
        yield "enum", schema["enum"]
    if kind == "ARRAY" and _object(schema.get("items")):
        yield "items", Fields(tuple(_items(_object(schema["items"]))))
    if schema.get("nullable"):
        yield "nullable", True
    if kind == "OBJECT":
        yield "properties", _properties(schema.get("properties"))
        if schema.get("required"):
            yield "required", schema["required"]
    yield "type", kind


def _items(schema: JsonObject) -> Iterator[tuple[str, LiteralValue]]:
    for key, value in in_key_order(schema):
        match key:
            case _ if value is None:
                continue
            case "properties":
                yield key, _properties(value)
            case "type":
                yield key, [str(name).upper() for name in value] if isinstance(value, list) else _upper(value)
            case _:
                yield key, value


def _upper(value: Json) -> str:
    return str(value).upper()


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
