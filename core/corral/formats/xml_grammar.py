"""Write the grammar of a call whose parameters stand one by one between tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats.gbnf import literal, one_of
from corral.formats.schema import type_of
from corral.formats.schema_grammar import schema_rule

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
    close = f"{frame}{syntax.parameter_close}"
    return f"{literal(opening)} {_value(rules, schema, root, close, path)} {literal(syntax.layout)}"


def _value(rules: Rules, schema: Json, root: JsonObject, close: str, path: str) -> str:
    """Return the expression for a value and its closing tag; text is written as it is, everything else as JSON."""
    known = schema if isinstance(schema, dict) else {}
    words = known.get("enum")
    if isinstance(words, list) and words and all(isinstance(word, str) for word in words):
        return f"{one_of(literal(str(word)) for word in words)} {literal(close)}"
    if isinstance(known.get("const"), str):
        return literal(f"{known['const']}{close}")
    if type_of(known, root).is_text:
        return rules.until(close)
    return f"{schema_rule(rules, schema, path, root)} {literal(close)}"
