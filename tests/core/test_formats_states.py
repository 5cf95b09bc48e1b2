"""A table of states says where text goes; white space beside tags is layout, and everything else is kept."""

from __future__ import annotations

import json

import pytest
from answers import TOOLS
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_formats import FORMATS

from corral.errors import InvalidGrammar
from corral.events import CallStatus, ContentDelta, Diagnostic, ThinkingDelta, ThinkingEnd, ToolCallEnd
from corral.formats import Answer, Format, On, ParameterType, Sink, State, ToolSchemas, XmlCalls, coerce, fold, type_of
from corral.formats.bare_values import bare_rule
from corral.formats.gbnf import Rules

JSON = '{"name": "get_weather", "arguments": {"city": "Ulm"}}'


def answer(name: str, text: str, suffix: str = "") -> Answer:
    parser = FORMATS[name].parser(TOOLS, suffix)
    return fold(parser.feed(text) + parser.finish("stop"))


def calls(found: Answer) -> list[tuple[str, dict, CallStatus]]:
    return [(call.name, call.arguments, call.status) for call in found.tool_calls]


#: What Python makes of JSON's types; bool comes from no other text than true and false.
JSON_TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict, "null": type(None)}
ULM = ("get_weather", {"city": "Ulm"}, CallStatus.OK)
STOP = ("stop", {}, CallStatus.OK)


@pytest.mark.parametrize(
    ("text", "thinking", "content"),
    [
        ("<think>\nhm\n</think>\n\nyes \n", "hm", "yes \n"),
        ("\n<think>hm</think>yes", "hm", "yes"),
        ("well <think>hm</think>", "", "well <think>hm</think>"),
        ("<think>hm", "hm", ""),
        ("<think></think>a", "", "a"),
        ("</think>a", "", "</think>a"),
    ],
)
def test_thinking_is_told_from_content(text: str, thinking: str, content: str) -> None:
    """F73."""
    found = answer("sample-json", text)
    assert (found.thinking, found.content) == (thinking, content)


@pytest.mark.parametrize(
    ("suffix", "thinking", "content"), [("<think>\n", "a", "b"), ("<think>\n\n</think>\n\n", "", "a</think>b"), ("Hi ", "", "a</think>b")]
)
def test_the_prompts_suffix_says_where_the_answer_begins(suffix: str, thinking: str, content: str) -> None:
    """F73."""
    found = answer("sample-json", "a</think>b", suffix)
    assert (found.thinking, found.content) == (thinking, content)


def test_a_call_ends_thinking_and_says_so() -> None:
    parser = FORMATS["sample-json"].parser(TOOLS)
    events = parser.feed(f"<think>hm <tool_call>{JSON}</tool_call>") + parser.finish("stop")
    assert events[:2] == [ThinkingDelta("hm"), ThinkingEnd("tool")]
    assert isinstance(events[-1], ToolCallEnd)


def test_thinking_that_is_cut_off_ends_with_the_answer() -> None:
    """F67, F73."""
    parser = FORMATS["sample-json"].parser()
    assert parser.feed("<think>hm ") == [ThinkingDelta("hm")]
    assert parser.finish("length") == [ThinkingDelta(" "), ThinkingEnd("eos")]


def test_a_tag_without_a_call_goes_back_to_where_it_was_found() -> None:
    found = answer("sample-json", "<think>I use <tool_call> tags</think>done")
    assert (found.thinking, found.content) == ("I use <tool_call> tags", "done")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("sample-json", f"<tool_call>{JSON}</tool_call>\n<tool_call>{JSON}</tool_call>", [ULM, ULM]),
        ("sample-json", f"<tool_call>[{JSON}, {JSON}]</tool_call>", [ULM, ULM]),
        ("sample-json", f"<tool_call>{JSON}\n{JSON}</tool_call>", [ULM, ULM]),
        ("sample-json", '<tool_call>{"arguments": {"city": "Ulm"}, "id": "x", "name": "get_weather"}</tool_call>', [ULM]),
        ("sample-json", '<tool_call>{"name": "get_weather", "arguments": "{\\"city\\": \\"Ulm\\"}"}</tool_call>', [ULM]),
        ("sample-json", '<tool_call>{"type": "function", "function": {"name": "stop", "parameters": null}}</tool_call>', [STOP]),
        ("sample-json", '<tool_call>{"name": "stop"}</tool_call>', [STOP]),
        ("sample-json", '<tool_call>{"name": "stop", "arguments": [1]}</tool_call>', [("stop", {}, CallStatus.MALFORMED)]),
        ("sample-json", f"<tool_call>{JSON}", [("get_weather", {"city": "Ulm"}, CallStatus.TRUNCATED)]),
        ("sample-json", f"<tool_call>{JSON} thanks", [("get_weather", {"city": "Ulm"}, CallStatus.REPAIRED)]),
        ("sample-json-list", f"[TOOL_CALLS][{JSON}, {JSON}]", [ULM, ULM]),
        ("sample-bare-json", f"{JSON}; {JSON}", [ULM, ULM]),
        ("sample-bare-json", '{"name": "unknown", "arguments": {}}', []),
        ("sample-keys", "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Ulm</arg_value>\n</tool_call>", [ULM]),
        ("sample-keys", "<tool_call>stop</tool_call>", [STOP]),
        ("sample-section", '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city": "Ulm"}<｜tool▁call▁end｜>', [ULM]),
        ("sample-header", '[TOOL_CALLS]get_weather[ARGS]{"city": "Ulm"}[TOOL_CALLS]stop{}', [ULM, STOP]),
        ("sample-header", f"[TOOL_CALLS][{JSON}]", [ULM]),
        ("sample-header", '[TOOL_CALLS]get_weather[ARGS]\n```json\n{"city": "Ulm"}\n```', [ULM]),
        ("sample-header", '[TOOL_CALLS]get_weather[ARGS]"{\\"city\\": \\"Ulm\\"}"', [ULM]),
        ("sample-header", '[TOOL_CALLS]stop[ARGS]"x"', [("stop", {}, CallStatus.MALFORMED)]),
        ("sample-header", "[TOOL_CALLS]stop[ARGS]", [("stop", {}, CallStatus.TRUNCATED)]),
        ("sample-header", "[TOOL_CALLS]two\nlines[ARGS]{}", []),
        ("sample-section", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>stop<｜tool▁call▁end｜>", []),
        (
            "sample-section",
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>stop<｜tool▁sep｜>{} x<｜tool▁call▁end｜>",
            [("stop", {}, CallStatus.MALFORMED)],
        ),
        ("sample-python", "<function_calls>get_weather(city='Ulm')\nstop()</function_calls>", [ULM, STOP]),
        ("sample-python", "<function_calls>[get_weather('Ulm'), stop()]</function_calls>", [ULM, STOP]),
        ("sample-python", "<function_calls>get_weather(city=lambda: 1)</function_calls>", [("get_weather", {}, CallStatus.MALFORMED)]),
        ("sample-bare-python", "[get_weather(city='Ulm')]", [ULM]),
        ("sample-bare-python", "[1, 2]", []),
        ("sample-literal", '<|tool_call>call:get_weather{city:<|"|>Ulm<|"|>}<tool_call|>', [ULM]),
    ],
)  # fmt: skip
def test_calls_are_read_in_every_syntax(name: str, text: str, expected: list[object]) -> None:
    assert calls(answer(name, text)) == expected


def test_text_between_calls_is_reported() -> None:
    found = answer("sample-section", "<｜tool▁calls▁begin｜>noise<｜tool▁call▁begin｜>stop<｜tool▁sep｜>{}<｜tool▁call▁end｜>")
    assert [diagnostic.raw for diagnostic in found.diagnostics] == ["noise"]


def test_white_space_is_kept_where_a_state_says_so() -> None:
    exact = Format(states={"content": State(Sink.CONTENT, (On("<call>", call=XmlCalls()),), trim_start=False, trim_end=False)})
    parser = exact.parser()
    events = parser.feed("a \n<call><function=f></function></tool_call> b") + parser.finish("stop")
    assert [event.text for event in events if isinstance(event, ContentDelta)] == ["a \n", " b"]


def test_a_second_value_of_a_parameter_is_reported_and_not_sent() -> None:
    """F47, F69."""
    twice = "".join(f"<arg_key>city</arg_key><arg_value>{value}</arg_value>" for value in ("Ulm", "Bonn"))
    text = f"<tool_call>get_weather{twice}</tool_call>"
    found = answer("sample-keys", text)
    assert calls(found) == [("get_weather", {"city": "Ulm"}, CallStatus.REPAIRED)]
    assert found.diagnostics == (Diagnostic("duplicate_parameter", "parameter 'city' was given twice; the first one counts", "Bonn"),)


def test_tools_may_stand_flat_or_wrapped() -> None:
    flat = {"name": "f", "parameters": {"properties": {"a": {"type": "integer"}}}}
    assert ToolSchemas([flat]).parameter_type("f", "a").types == {"integer"}
    assert ToolSchemas([{"type": "function", "function": flat}, {"odd": 1}]).names == ("f",)


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        ({}, set()),
        ({"type": ["string", "null"]}, {"string", "null"}),
        ({"anyOf": [{"type": "integer"}, {"oneOf": [{"type": "array"}]}], "nullable": True}, {"integer", "array", "null"}),
        ({"allOf": [{"$ref": "#/$defs/x"}]}, {"boolean"}),
        ({"enum": ["a", 1, None, 1.5, True, [], {}]}, {"string", "integer", "null", "number", "boolean", "array", "object"}),
        ({"properties": {}}, {"object"}),
        ({"$ref": "http://elsewhere"}, set()),
    ],
)
def test_a_schema_says_which_types_it_admits(schema: dict, types: set[str]) -> None:
    assert type_of(schema, {"$defs": {"x": {"type": "boolean"}}}).types == types


def test_choices_among_references_to_themselves_do_not_multiply() -> None:
    """A request whose schema does this would otherwise compute for years."""
    choices = {"anyOf": [{"$ref": f"#/$defs/{letter}"} for letter in "abcdefghij"]}
    kinds = dict.fromkeys("abcdefghi", choices) | {"j": {"type": "integer"}}
    assert type_of(choices, {"$defs": kinds}).types == {"integer"}
    with pytest.raises(InvalidGrammar, match="city: has more than 500 alternatives"):
        bare_rule(Rules(), choices, {"$defs": kinds}, "city", "</parameter>")


def test_coercion_is_idempotent_on_its_own_text() -> None:
    kind = type_of({"type": ["integer", "boolean", "array"]}, {})
    for raw in ("007", "TRUE", "[1]"):
        once = coerce(raw, kind)
        assert coerce(once.json, kind) == once


@given(
    raw=st.text(max_size=12) | st.sampled_from(["1", "-2.5", "true", "null", "[1]", '{"a": 1}', "1e5", "None"]),
    types=st.sets(st.sampled_from(sorted(JSON_TYPES))),
)
@settings(max_examples=300, deadline=None)
def test_a_value_has_a_declared_type_or_is_its_own_text(raw: str, types: set[str]) -> None:
    """P17."""
    found = coerce(raw, ParameterType(frozenset(types)))
    value = json.loads(found.json)
    assert (found.status is CallStatus.COERCION_FAILED) == (bool(types) and not any(isinstance(value, JSON_TYPES[name]) for name in types))
    if types == {"string"} or found.status is CallStatus.COERCION_FAILED:
        assert value == raw
