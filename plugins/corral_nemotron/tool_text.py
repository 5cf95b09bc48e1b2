"""Write tools the way Nemotron 3 was shown them: known keys in their places, every other key of the client's schema behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import dump_json, function_of, template_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.conversation import Json, JsonObject


def tool_text(tool: JsonObject) -> str:
    """Return the block of one tool."""
    return "".join(_function(function_of(tool)))


def _function(function: JsonObject) -> Iterator[str]:
    parameters = function.get("parameters")
    yield f"\n<function>\n<name>{function.get('name', '')}</name>"
    yield _description(function)
    yield "\n<parameters>"
    if isinstance(parameters, dict):
        yield from _parameters(parameters.get("properties"))
        yield from _other_keys(parameters, {"type", "properties", "required"})
        yield f"\n<required>{dump_json(parameters['required'])}</required>" if "required" in parameters else ""
    yield "\n</parameters>"
    yield from _other_keys(function, {"type", "name", "description", "parameters"})
    yield "\n</function>"


def _parameters(properties: Json) -> Iterator[str]:
    for name, schema in properties.items() if isinstance(properties, dict) else ():
        yield f"\n<parameter>\n<name>{name}</name>"
        if isinstance(schema, dict):
            yield f"\n<type>{schema['type']}</type>" if "type" in schema else ""
            yield _description(schema)
            yield f"\n<enum>{dump_json(schema['enum'])}</enum>" if "enum" in schema else ""
            yield from _other_keys(schema, {"name", "type", "description", "enum"})
        yield "\n</parameter>"


def _description(schema: JsonObject) -> str:
    return f"\n<description>{str(schema['description']).strip()}</description>" if "description" in schema else ""


def _other_keys(schema: JsonObject, handled: set[str]) -> Iterator[str]:
    for key, value in schema.items():
        if key not in handled:
            yield f"\n<{key}>{template_text(value)}</{key}>"
