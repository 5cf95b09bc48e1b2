"""Describe tools the way Hermes was shown them: as Python signatures in a JSON object, mistakes of the reference included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import dump_json, function_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral.conversation import Json, JsonObject

_NAMES = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"}


def signature_text(tool: JsonObject) -> str:
    """Return the text of one tool."""
    function = function_of(tool)
    parameters = function.get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    fields = properties if isinstance(properties, dict) else {}
    name, returned = function.get("name", ""), function.get("return")
    described = f" - {function.get('description', '')}\n\n{_arguments(fields)}"
    if isinstance(returned, dict):
        described = f" -> {python_type(returned)}{described}" + _returned(returned)
    signature = ", ".join(f"{key}: {python_type(field)}" for key, field in fields.items())
    shown = dump_json(parameters) if fields else "{}"
    return f'{{"type": "function", "function": {{"name": "{name}", "description": "{name}({signature}){described}", "parameters": {shown}}}'


def _arguments(fields: Mapping[str, Json]) -> str:
    lead = "    Args:\n" if fields else ""
    return lead + "".join(f"        {key}({python_type(field)}): {_description(field)}" for key, field in fields.items())


def _returned(schema: JsonObject) -> str:
    return f"\n    Returns:\n        {schema['description']}" if "description" in schema else ""


def _description(field: Json) -> str:
    return str(field.get("description", "")).strip() if isinstance(field, dict) else ""


def python_type(schema: Json) -> str:
    """Return a schema's type as Python writes it; the reference loses the types of lists' items."""
    match schema.get("type") if isinstance(schema, dict) else None:
        case str(kind) if kind in _NAMES:
            return _NAMES[kind]
        case "array":
            return "list[Union[]]"
        case "object":
            assert isinstance(schema, dict)
            return f"dict[str, {python_type(schema['additionalProperties'])}]" if "additionalProperties" in schema else "dict"
        case list(kinds):
            return f"Union[{','.join(python_type({'type': kind}) for kind in kinds)}]"
        case None:
            return "Union[]"
        case _:
            return "Any"
