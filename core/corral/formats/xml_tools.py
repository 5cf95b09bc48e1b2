"""Write what models that call by `XmlCalls` are shown: tools as tags, calls as they shall write them, and how to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats.schema import function_of
from corral.formats.strict_json import dump_json, template_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.conversation import Json, JsonObject, ToolCall

#: What Qwen3-Coder and all that learned its calls are told behind the list of their tools, to the letter.
HOW_TO_CALL_XML = """

If you choose to call a function ONLY reply in the following format with NO suffix:

<tool_call>
<function=example_function_name>
<parameter=example_parameter_1>
value_1
</parameter>
<parameter=example_parameter_2>
This is the value for the second parameter
that can span
multiple lines
</parameter>
</function>
</tool_call>

<IMPORTANT>
Reminder:
- Function calls MUST follow the specified format: an inner <function=...></function> block must be nested within \
<tool_call></tool_call> XML tags
- Required parameters MUST be specified
- You may provide optional reasoning for your function call in natural language BEFORE the function call, but NOT after
- If there is no function call available, answer the question like normal with your current knowledge and do not tell the user about \
function calls
</IMPORTANT>"""


def xml_tool_text(tool: JsonObject, *, keywords_last: bool = False) -> str:
    """Return a tool between tags, every key of the client's schema in the client's order.

    With `keywords_last`, parameters' `enum` and the list of `required` ones have places of their own instead.
    """
    return "".join(_function(function_of(tool), ("enum",) if keywords_last else (), ("required",) if keywords_last else ()))


def xml_call_text(call: ToolCall) -> str:
    """Return a call between its function's tags: objects and lists as JSON, other values as Python prints them."""
    parameters = "".join(f"<parameter={key}>\n{template_text(value)}\n</parameter>\n" for key, value in call.arguments.items())
    return f"<function={call.name}>\n{parameters}</function>"


def _function(function: JsonObject, after_description: tuple[str, ...], last: tuple[str, ...]) -> Iterator[str]:
    parameters = function.get("parameters")
    yield f"\n<function>\n<name>{function.get('name', '')}</name>"
    yield _description(function)
    yield "\n<parameters>"
    if isinstance(parameters, dict):
        yield from _parameters(parameters.get("properties"), after_description)
        yield from _other_keys(parameters, {"type", "properties", *last})
        yield from _json_keys(parameters, last)
    yield "\n</parameters>"
    yield from _other_keys(function, {"type", "name", "description", "parameters"})
    yield "\n</function>"


def _parameters(properties: Json, after_description: tuple[str, ...]) -> Iterator[str]:
    for name, schema in properties.items() if isinstance(properties, dict) else ():
        yield f"\n<parameter>\n<name>{name}</name>"
        if isinstance(schema, dict):
            yield f"\n<type>{schema['type']}</type>" if "type" in schema else ""
            yield _description(schema)
            yield from _json_keys(schema, after_description)
            yield from _other_keys(schema, {"name", "type", "description", *after_description})
        yield "\n</parameter>"


def _description(schema: JsonObject) -> str:
    return f"\n<description>{str(schema['description']).strip()}</description>" if "description" in schema else ""


def _json_keys(schema: JsonObject, keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        if key in schema:
            yield f"\n<{key}>{dump_json(schema[key])}</{key}>"


def _other_keys(schema: JsonObject, handled: set[str]) -> Iterator[str]:
    for key, value in schema.items():
        if key not in handled:
            yield f"\n<{key}>{template_text(value)}</{key}>"
