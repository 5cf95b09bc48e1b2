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
    if type_of(schema if isinstance(schema, dict) else {}, root).is_text and not _words(schema):
        # The closing tag alone, as the parser reads it: a model that leaves out the line break before it must not run on.
        value = rules.until(syntax.parameter_close)
    else:
        value = f"{_value(rules, schema, root, path)} {literal(frame + syntax.parameter_close)}"
    return f"{literal(opening)} {value} {literal(syntax.layout)}"


def _value(rules: Rules, schema: Json, root: JsonObject, path: str) -> str:
    """Return the expression for a value; words are written as they are, everything else as JSON."""
    words = _words(schema)
    return one_of(literal(word) for word in words) if words else schema_rule(rules, schema, path, root)


def _words(schema: Json) -> list[str]:
    """Return the only texts that the schema admits; none when it admits others."""
    known = schema if isinstance(schema, dict) else {}
    words = known.get("enum", [known["const"]] if "const" in known else [])
    return [word for word in words if isinstance(word, str)] if isinstance(words, list) and all(isinstance(w, str) for w in words) else []
