"""Write the grammar of a call whose parameters stand one by one between tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats.bare_values import bare_rule
from corral.formats.gbnf import literal

if TYPE_CHECKING:
    from corral.conversation import Json, JsonObject
    from corral.formats.gbnf import Rules
    from corral.formats.schema import ToolSchemas
    from corral.formats.xml_calls import XmlCalls


def function_rule(syntax: XmlCalls, rules: Rules, tools: ToolSchemas, name: str) -> str:
    """Return the expression for a function: required and optional parameters in the schema's order."""
    head = syntax.functions[0]
    required = tools.required(name)
    parameters = []
    for key, schema in tools.properties(name).items():
        parameter = _parameter(syntax, rules, key, schema, tools.parameters(name), f"tools.{name}.parameters.properties.{key}")
        parameters.append(parameter if key in required else f"({parameter})?")
    opening = literal(f"{head.open}{name}{head.end}{syntax.layout}")
    return " ".join([opening, *parameters, literal(syntax.function_close)])


def _parameter(syntax: XmlCalls, rules: Rules, key: str, schema: Json, root: JsonObject, path: str) -> str:
    head = syntax.parameters[0]
    frame = "\n" if syntax.one_newline else ""
    opening = f"{head.open}{key}{head.end}" + (f"{syntax.layout}{syntax.value_open}" if syntax.value_open else "") + frame
    known = schema if isinstance(schema, dict) else {}
    value = bare_rule(rules, known, root, path, syntax.parameter_close, frame=frame)
    return f"{literal(opening)} {value} {literal(syntax.layout)}"
