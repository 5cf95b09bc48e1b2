"""Qwen3-Coder's parser reads every call as it was meant, and loses no character of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from corral.events import CallStatus, ContentDelta, ToolCallArgsDelta, ToolCallStart
from corral.formats import Answer, fold
from corral_qwen3_coder.parsing import FORMAT

if TYPE_CHECKING:
    from corral.conversation import Json, JsonObject
    from corral.events import ParserEvent


def tool(name: str = "f", **properties: Json) -> JsonObject:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": properties}}}


def events(text: str, *tools: JsonObject, split: int = 0, suffix: str = "") -> list[ParserEvent]:
    parser = FORMAT.parser(tools, suffix)
    size = split or max(1, len(text))
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return [event for piece in pieces for event in parser.feed(piece)] + parser.finish("stop")


def answer(text: str, *tools: JsonObject, suffix: str = "") -> Answer:
    whole = fold(events(text, *tools, suffix=suffix))
    for split in (1, 2, 3, 7):
        assert fold(events(text, *tools, split=split, suffix=suffix)) == whole
    return whole


def call(*parameters: tuple[str, str], name: str = "f") -> str:
    body = "".join(f"<parameter={key}>\n{value}\n</parameter>\n" for key, value in parameters)
    return f"<tool_call>\n<function={name}>\n{body}</function>\n</tool_call>"


SIMPLE = call(("k", "v"))


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("hello world", "hello world"),
        ("hello \n", "hello \n"),
        (f"hi \n\u3000{SIMPLE}", "hi"),
        (f"\n{SIMPLE}\nbye", "bye"),
        (f"a\u00a0{SIMPLE}b", "ab"),
        (f"{SIMPLE}\n", ""),
        ("x <tool_c y", "x <tool_c y"),
        ("x \n<tool_call", "x \n<tool_call"),
        ("你好 \u2705 مرحبا<tool", "你好 \u2705 مرحبا<tool"),
        (f"你好 \u2705 {SIMPLE}\u0645\u0631\u062d\u2705", "你好 \u2705\u0645\u0631\u062d\u2705"),
    ],
)
def test_text_around_calls_is_content_without_the_layout(text: str, content: str) -> None:
    assert answer(text, tool(k={"type": "string"})).content == content


def test_a_partial_tag_gives_no_event() -> None:
    parser = FORMAT.parser()
    assert parser.feed("<tool_c") == []
    assert parser.feed("all") == []
    assert fold(parser.feed(" is a tag")).content == "<tool_call is a tag"


def test_several_calls_are_numbered_from_zero() -> None:
    found = answer(f"{SIMPLE}\n{call(name='g')} and {SIMPLE}", tool(k={"type": "string"}), tool("g"))
    assert [(c.index, c.name, c.arguments, c.status) for c in found.tool_calls] == [
        (0, "f", {"k": "v"}, CallStatus.OK),
        (1, "g", {}, CallStatus.OK),
        (2, "f", {"k": "v"}, CallStatus.OK),
    ]
    assert found.content == "and"


@pytest.mark.parametrize(
    "value",
    [
        "a && b < c > d &lt; ]]>", "<T=int> vector<T>", "\r\n carriage\r", "\x1b\x00", "<parameter=q>inner</parameter>",
        "text </parameter> text",
        "\n leading and trailing \n", "  spaces  ", "</tool_call>", "null", "{\"a\": 1}",  "", "  ",
        "emoji \u2705 \U0001f600", "\ufeff mark \u202e turned", "C:\\dir\\\"x\"",
        "<tool_call>\n<function=f>\n<parameter=q>\nx\n</parameter>\n</function>\n</tool_call>\ndone",
    ],
)  # fmt: skip
def test_a_text_parameter_is_kept_to_the_letter(value: str) -> None:
    """F70."""
    found = answer(call(("k", value)), tool(k={"type": "string"}))
    assert found.tool_calls[0].arguments == {"k": value}
    assert found.tool_calls[0].status is CallStatus.OK


@pytest.mark.parametrize("name", ["get weather", 'get"x"', "获取天气", "a.b-c/d"])
def test_names_of_functions_and_parameters_are_exact(name: str) -> None:
    found = answer(call((name, "v"), name=name), tool(name, **{name: {"type": "string"}}))
    assert (found.tool_calls[0].name, found.tool_calls[0].arguments) == (name, {name: "v"})


VALUES: list[tuple[str, JsonObject, Json, CallStatus]] = [
    ("42", {"type": "integer"}, 42, CallStatus.OK),
    ("-100", {"type": "integer"}, -100, CallStatus.OK),
    ("007", {"type": "integer"}, 7, CallStatus.OK),
    ("9223372036854775808", {"type": "integer"}, 9223372036854775808, CallStatus.OK),
    ("4.0", {"type": "integer"}, 4, CallStatus.OK),
    ("4.5", {"type": "integer"}, "4.5", CallStatus.COERCION_FAILED),
    ("1_000", {"type": "number"}, "1_000", CallStatus.COERCION_FAILED),
    ("inf", {"type": "number"}, "inf", CallStatus.COERCION_FAILED),
    ("1e999", {"type": "number"}, "1e999", CallStatus.COERCION_FAILED),
    ("NaN", {"type": "number"}, "NaN", CallStatus.COERCION_FAILED),
    ("-273.15", {"type": "number"}, -273.15, CallStatus.OK),
    ("1.23e5", {"type": "number"}, 123000, CallStatus.OK),
    ("+.5", {"type": "number"}, 0.5, CallStatus.OK),
    ("\u0664\u0662", {"type": "integer"}, "\u0664\u0662", CallStatus.COERCION_FAILED),
    ("TRUE", {"type": "boolean"}, True, CallStatus.OK),
    ("yes", {"type": "boolean"}, "yes", CallStatus.COERCION_FAILED),
    ("1", {"type": "boolean"}, "1", CallStatus.COERCION_FAILED),
    ("[1, \"a\", null]", {"type": "array"}, [1, "a", None], CallStatus.OK),
    ("[1, ", {"type": "array"}, "[1, ", CallStatus.COERCION_FAILED),
    ("{\"a\": {\"b\": [NaN]}}", {"type": "object"}, "{\"a\": {\"b\": [NaN]}}", CallStatus.COERCION_FAILED),
    ("{\"a\": {\"b\": []}}", {"type": "object"}, {"a": {"b": []}}, CallStatus.OK),
    ("null", {"type": "string"}, "null", CallStatus.OK),
    ("NULL", {"type": ["string", "null"]}, None, CallStatus.OK),
    ("None", {"type": "integer", "nullable": True}, None, CallStatus.OK),
    ("nul", {"type": ["null", "string"]}, "nul", CallStatus.OK),
    ("nullable", {"type": ["null", "string"]}, "nullable", CallStatus.OK),
    ("null", {"type": "integer"}, "null", CallStatus.COERCION_FAILED),
    ("null", {}, None, CallStatus.OK),
    ("42", {}, "42", CallStatus.OK),
    ("42.5", {"type": ["string", "number"]}, 42.5, CallStatus.OK),
    ("x", {"type": ["string", "number"]}, "x", CallStatus.OK),
    ("[1]", {"anyOf": [{"type": "array"}, {"type": "string"}]}, [1], CallStatus.OK),
    ("7", {"oneOf": [{"type": "integer"}, {"type": "null"}]}, 7, CallStatus.OK),
    ("7", {"$ref": "#/$defs/n"}, "7", CallStatus.OK),
    ("2", {"enum": [1, 2]}, 2, CallStatus.OK),
    ("b", {"enum": ["a", "b"]}, "b", CallStatus.OK),
    ("x", {"enum": [1, 2]}, "x", CallStatus.COERCION_FAILED),
    ("true", {"const": True}, True, CallStatus.OK),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "schema", "value", "status"), VALUES)
def test_a_value_is_what_its_schema_allows_or_stays_text_with_a_status(
    raw: str, schema: JsonObject, value: Json, status: CallStatus
) -> None:
    found = answer(call(("k", raw)), tool(k=schema)).tool_calls[0]
    assert found.arguments == {"k": value}
    assert type(found.arguments["k"]) is type(value) or value == 123000
    assert found.status is status


def test_a_reference_is_followed_into_the_tools_own_definitions() -> None:
    referring = tool(k={"$ref": "#/$defs/count"})
    referring["function"]["parameters"]["$defs"] = {"count": {"$ref": "#/$defs/int"}, "int": {"type": "integer"}}
    assert answer(call(("k", "7")), referring).tool_calls[0].arguments == {"k": 7}


def test_a_circle_of_references_is_no_type() -> None:
    circular = tool(k={"$ref": "#/$defs/a"})
    circular["function"]["parameters"]["$defs"] = {"a": {"$ref": "#/$defs/a"}}
    assert answer(call(("k", "7")), circular).tool_calls[0].arguments == {"k": "7"}


@pytest.mark.parametrize(
    ("text", "arguments", "status"),
    [
        ("<tool_call>\n<function=f>\n<parameter=k>\nv\n</function>\n</tool_call>", {"k": "v"}, CallStatus.REPAIRED),
        ("<tool_call>\n<function=f>\n<parameter=k>\nv\n</parameter>\n</tool_call>", {"k": "v"}, CallStatus.REPAIRED),
        ("<tool_call>\n<function=f>\n<parameter=k>\nv\n<parameter=n>\n1\n</parameter>\n</function>\n</tool_call>",
         {"k": "v", "n": 1}, CallStatus.REPAIRED),
        ("<function=f>\n<parameter=k>\nv\n</parameter>\n</function>\n</tool_call>", {"k": "v"}, CallStatus.OK),
        ("<tool_call>\nCalling: <function=f>\n<parameter=k>\nv\n</parameter>\n</function>\n</tool_call>", {"k": "v"}, CallStatus.OK),
        ('<tool_call>\n<function name="f">\n<parameter name="k">\nv\n</parameter>\n</function>\n</tool_call>', {"k": "v"}, CallStatus.OK),
        ('<tool_call>\n{"name": "f", "arguments": {"k": "v"}}\n</tool_call>', {"k": "v"}, CallStatus.OK),
        ("<tool_call>\n<function=f>\n<parameter=k>\nv\n</parameter>\n<parameter=k>\nw\n</parameter>\n</function>\n</tool_call>",
         {"k": "v"}, CallStatus.REPAIRED),
        ("<tool_call>\n<function=f>\n<parameter=k>\nv\n</parameter>\n</function>\n", {"k": "v"}, CallStatus.TRUNCATED),
        ("<tool_call>\n<function=f>\n<parameter=k>\nv w", {"k": "v w"}, CallStatus.TRUNCATED),
        ("<tool_call>\n<function=f>\n<parameter=n>\n1", {}, CallStatus.TRUNCATED),
        ("<tool_call>\n<function=f>\n<para", {}, CallStatus.TRUNCATED),
        ("<tool_call>\n<function=f>\n", {}, CallStatus.TRUNCATED),
        ("<tool_call><function=f><parameter=k>v</parameter></function></tool_call>", {"k": "v"}, CallStatus.OK),
    ],
)  # fmt: skip
def test_a_call_with_a_fault_is_read_as_far_as_it_goes(text: str, arguments: JsonObject, status: CallStatus) -> None:
    """F69."""
    found = answer(text, tool(k={"type": "string"}, n={"type": "integer"}))
    assert [(c.name, c.arguments, c.status) for c in found.tool_calls] == [("f", arguments, status)]
    assert found.tool_calls[0].raw.rstrip() == text.rstrip()
    assert found.content == ""


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>no call</tool_call>",
        "<tool_call>",
        "<tool_call>\n<function=>x",
        "<tool_call>{}</tool_call>",
        "<function=g>\n",
        '<tool_call>{"name": 3',
    ],
)
def test_what_is_no_call_stays_in_the_text(text: str) -> None:
    """F68, F69."""
    found = answer(f"a {text}", tool())
    assert (found.content, found.tool_calls) == (f"a {text}", ())


def test_an_empty_wrapper_is_dropped_and_reported() -> None:
    found = answer("a <tool_call>\n</tool_call> b")
    assert (found.content.replace("  ", " "), [d.code for d in found.diagnostics]) == ("a b", ["empty_call"])


def test_two_functions_in_one_wrapper_are_two_calls() -> None:
    inner = "<function=f>\n<parameter=k>\nv\n</parameter>\n</function>"
    found = answer(f"<tool_call>\n{inner}\n{inner}\n</tool_call>", tool(k={"type": "string"}))
    assert [c.arguments for c in found.tool_calls] == [{"k": "v"}] * 2


def test_an_undeclared_tool_is_a_call_with_that_status() -> None:
    """F69."""
    found = answer(SIMPLE).tool_calls[0]
    assert (found.name, found.arguments, found.status) == ("f", {"k": "v"}, CallStatus.UNKNOWN_TOOL)


def test_text_arguments_arrive_while_they_are_written() -> None:
    parser = FORMAT.parser([tool(k={"type": "string"})])
    assert parser.feed("<tool_call>\n<function=f>\n") == [ToolCallStart(0, "f")]
    assert parser.feed("<parameter=k>\nHello") == [ToolCallArgsDelta(0, '{"k": "Hello')]
    assert parser.feed(' "wor') == [ToolCallArgsDelta(0, ' \\"wor')]
    assert parser.feed("ld\n</para") == [ToolCallArgsDelta(0, "ld")]
    assert parser.feed("meter") == []
    assert parser.feed("!") == [ToolCallArgsDelta(0, "\\n</parameter!")]


def test_a_continued_answer_does_not_repeat_its_beginning() -> None:
    assert events(" world", suffix="Hello") == [ContentDelta(" world")]
    assert fold(events("orld", suffix="Hello <tool w")).content == "orld"


def test_a_call_that_the_prompt_began_is_read_to_its_end() -> None:
    found = answer(
        "v\n</parameter>\n</function>\n</tool_call>", tool(k={"type": "string"}), suffix="<tool_call>\n<function=f>\n<parameter=k>\n"
    )
    assert (found.content, found.tool_calls[0].arguments) == ("", {"k": "v"})
