"""Tools and calls are written between tags as `XmlCalls` reads them."""

from __future__ import annotations

from answers import TOOLS, read

from corral.conversation import ToolCall
from corral.formats import CallGrammar, On, XmlCalls, fold, thinking_format, xml_call_text, xml_tool_text

TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "description": " Does ",
        "strict": True,
        "parameters": {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"default": "x", "enum": ["x"], "type": ["string", "null"]}, "b": {}},
            "additionalProperties": False,
        },
    },
}


def test_a_tools_keys_keep_the_clients_order() -> None:
    assert xml_tool_text(TOOL) == (
        "\n<function>\n<name>f</name>\n<description>Does</description>\n<parameters>"
        "\n<parameter>\n<name>a</name>\n<type>['string', 'null']</type>\n<default>x</default>\n<enum>[\"x\"]</enum>\n</parameter>"
        "\n<parameter>\n<name>b</name>\n</parameter>"
        '\n<required>["a"]</required>\n<additionalProperties>False</additionalProperties>\n</parameters>\n<strict>True</strict>\n</function>'
    )


def test_keywords_may_have_places_of_their_own() -> None:
    text = xml_tool_text(TOOL, keywords_last=True)
    assert '</type>\n<enum>["x"]</enum>\n<default>x</default>\n' in text
    assert '\n<additionalProperties>False</additionalProperties>\n<required>["a"]</required>\n</parameters>' in text


def test_a_call_is_read_back_as_it_was_written() -> None:
    syntax = XmlCalls()
    form = thinking_format(On("<tool_call>", call=syntax), grammar=CallGrammar(syntax=syntax))
    call = ToolCall(name="get_weather", arguments={"city": "a < b\n", "flags": [True]})
    answer = fold(read(form.parser(TOOLS), [f"<tool_call>\n{xml_call_text(call)}\n</tool_call>"]))
    assert [(made.name, made.arguments) for made in answer.tool_calls] == [(call.name, call.arguments)]
