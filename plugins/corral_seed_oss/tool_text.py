"""Write tools the way Seed-OSS was shown them: as Python functions with a docstring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import function_of

if TYPE_CHECKING:
    from corral.conversation import Json, JsonObject

_TYPES = {"string": "str", "number": "int", "integer": "int", "boolean": "bool", "array": "list"}


def tool_text(tool: JsonObject) -> str:
    """Return the definition of one tool."""
    function = function_of(tool)
    parameters = _object(function.get("parameters"))
    properties = {name: _object(schema) for name, schema in _object(parameters.get("properties")).items()}
    signature = ",".join(f"{name}: {_type(schema)}" for name, schema in properties.items())
    text = f'\n\nFunction:\ndef {function.get("name", "")}({signature}):\n    """\n    {str(function.get("description") or "").strip()}\n\n'
    if properties:
        text += f"    Args:{''.join(_argument(name, schema, parameters.get('required')) for name, schema in properties.items())}"
    returns = {name: _object(schema) for name, schema in _object(_object(function.get("returns")).get("properties")).items()}
    return f'{text}\n{_returns(returns)}\n    """'


def _argument(name: str, schema: JsonObject, required: Json) -> str:
    need = "必填" if isinstance(required, list) and name in required else "选填"
    return f"\n    - {name} ({_type(schema)}) [{need}]: {schema.get('description') or ''}"


def _returns(properties: dict[str, JsonObject]) -> str:
    lines = "".join(f"\n    - {name} ({_type(schema)}): {schema.get('description') or ''}" for name, schema in properties.items())
    return f"    Returns:{lines}" if lines else ""


def _type(schema: JsonObject) -> str:
    name = schema.get("type")
    return _TYPES.get(name, "Any") if isinstance(name, str) else "Any"


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
