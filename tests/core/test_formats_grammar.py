"""The grammars that JSON Schemas and tools become accept what they should, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from answers import TOOLS
from gbnf_recogniser import accepts
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_formats import FORMATS

from corral.conversation import Conversation, NamedTool
from corral.errors import InvalidGrammar, InvalidInput, Unsupported
from corral.formats import (
    CallGrammar,
    Format,
    JsonCalls,
    NamedCalls,
    On,
    PythonCalls,
    Rules,
    Sink,
    State,
    XmlCalls,
    bare_rule,
    fold,
    format_grammar,
    schema_rule,
)
from corral.formats.integer_grammar import integers

if TYPE_CHECKING:
    from corral.conversation import Json, JsonObject

#: Schema, values in it, values outside.
SCHEMAS: list[tuple[Json, list[Json], list[Json]]] = [
    ({"type": "object"}, [{}, {"a": [1]}], [[], 1, "x"]),
    ({}, [1, "x", None, {"a": True}, -1.5e3], []),
    ({"type": "string"}, ["", "a\"b\n\u00e9\U0001f600"], [1, None]),
    ({"type": "string", "minLength": 1, "maxLength": 3}, ["a", "abc"], ["", "abcd"]),
    ({"type": "string", "pattern": "^[a-z]{2}-\\d+$"}, ["ab-1", "zz-99"], ["a-1", "ab-", "xab-1"]),
    ({"type": "string", "pattern": "b"}, ["b", "abc"], ["ac"]),
    ({"type": "string", "pattern": "^(foo|ba[^r]+\\.)?$"}, ["", "foo", "bazz."], ["bar.", "fo"]),
    ({"type": "string", "pattern": "^[\\w.-]+@(?:x|y)\\.z?$"}, ["a.b-c@x.", "_@y.z"], ["@x.", "a@w.", "a b@x."]),
    ({"type": "string", "pattern": "^\\D\\n\"[a\\-c\\d]{1,2}?$"}, ["x\n\"a", "x\n\"-9"], ["1\n\"a", "x\n\"b"]),
    ({"type": "string", "format": "ipv4"}, ["127.0.0.1", "255.255.255.255"], ["256.0.0.1", "1.2.3"]),
    ({"type": "string", "format": "date"}, ["2024-02-29"], ["2024-2-9", "x"]),
    ({"type": "string", "format": "date-time"}, ["2024-02-29T23:59:00Z"], ["2024-02-29"]),
    ({"type": "integer"}, [0, -5, 123], [1.5, "1"]),
    ({"type": "integer", "minimum": 3, "maximum": 120}, [3, 9, 10, 99, 100, 120], [2, 121, 0, -3]),
    ({"type": "integer", "exclusiveMinimum": -12, "exclusiveMaximum": 2}, [-11, -1, 0, 1], [-12, 2]),
    ({"type": "number"}, [1, -2.5, 1e9], ["1"]),
    ({"type": "number", "minimum": 0}, [0, 2.5], [-1]),
    ({"type": ["string", "null"]}, ["x", None], [1]),
    ({"type": "integer", "nullable": True}, [1, None], ["x"]),
    ({"enum": ["a", 1, None]}, ["a", 1, None], ["b", 2]),
    ({"const": "x\"y"}, ["x\"y"], ["x"]),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2}, [[1], [1, 2]], [[], [1, 2, 3], ["a"]]),
    ({"type": "array", "maxItems": 0}, [[]], [[1]]),
    ({"prefixItems": [{"type": "string"}, {"type": "integer"}]}, [["a", 1]], [["a"], [1, "a"], ["a", 1, 2]]),
    ({"anyOf": [{"type": "integer"}, {"type": "boolean"}]}, [1, True], ["x", None]),
    ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "properties": {"a": {}, "b": {}}},
     [{"a": 1}, {"b": 1}, {"a": 1, "b": 2}], [{}]),
    ({"allOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"b": {}}}]},
     [{"a": 1}, {"a": 1, "b": 2}], [{}, {"b": 1}]),
    ({"properties": {"a": {}, "b": {}, "c": {}}, "required": ["b"]},
     [{"b": 1}, {"a": 1, "b": 1}, {"b": 1, "c": 1}, {"a": 1, "b": 2, "c": 3}], [{}, {"a": 1}, {"b": 1, "d": 1}, {"b": 1, "a": 1}]),
    ({"properties": {"ab": {"type": "integer"}}, "additionalProperties": {"type": "string"}},
     [{}, {"ab": 1}, {"ab": 1, "a": "x"}, {"abc": "x"}, {"b": "x", "": "y"}], [{"ab": "x"}, {"c": 1}]),
    ({"type": "object", "additionalProperties": False}, [{}], [{"a": 1}]),
    ({"required": ["x"], "type": "object"}, [{"x": [1]}], [{}]),
    ({"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {"kids": {"items": {"$ref": "#/$defs/tree"}}}}}},
     [{}, {"kids": [{}, {"kids": []}]}], [{"kids": [1]}]),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "inside", "outside"), SCHEMAS)
def test_a_schemas_grammar_accepts_its_values_only(schema: Json, inside: list[Json], outside: list[Json]) -> None:
    rules = Rules()
    grammar = rules.text(schema_rule(rules, schema))
    assert [value for value in inside if not accepts(grammar, json.dumps(value))] == []
    assert [value for value in outside if accepts(grammar, json.dumps(value))] == []
    assert [value for value in inside if not accepts(grammar, json.dumps(value, indent=2, ensure_ascii=False))] == []


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"properties": {"a": {"not": {}}}}, "format.properties.a.not"),
        ({"type": "string", "pattern": "(?=x)"}, "format.pattern"),
        ({"items": {"pattern": "\\bx"}}, "format.items.pattern"),
        *(({"pattern": odd}, "format.pattern") for odd in ("(a", "a)", "[a", "*a", "a^b", '["]', "[\\b]", "(a)\\1", "a\\")),
        ({"type": "string", "pattern": "^a|b$"}, "format.pattern"),
        ({"type": "string", "maxLength": 10**9}, "format.maxLength"),
        ({"anyOf": [{"type": "thing"}]}, r"format.anyOf\[0\].type"),
        ({"$ref": "#/$defs/none"}, r"format.\$ref"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, "format: .*refers to itself"),
        ({"properties": {"a": 3}}, "format.properties.a"),
        ({"enum": []}, "format.enum"),
        ({"type": "array", "minItems": -1}, "format.minItems"),
        (False, "format"),
    ],
)
def test_what_no_grammar_can_follow_is_refused_by_its_path(schema: Json, path: str) -> None:
    with pytest.raises(InvalidGrammar, match=path):
        schema_rule(Rules(), schema)


def test_a_schema_nested_too_deeply_is_refused() -> None:
    schema: dict[str, Json] = {}
    for _ in range(5000):
        schema = {"items": schema}
    with pytest.raises(InvalidGrammar, match="nested too deeply"):
        schema_rule(Rules(), schema)


#: A parameter's schema, texts that stand in its place, texts that may not.
BARE: list[tuple[JsonObject, list[str], list[str]]] = [
    ({"type": "string"}, ["", "a<b>\n</d"], []),
    ({"type": "string", "pattern": "^[a-z]+-.$"}, ["ab-1", "a-\""], ["ab-", "ab-<", '"ab-1"']),
    ({"type": "string", "maxLength": 3}, ["", "a\"b", "a\n"], ["abcd", "a</"]),
    ({"type": "string", "minLength": 1}, ["a", "<h1>a</h1>\n"], [""]),
    ({"type": "string", "format": "date"}, ["2024-02-29"], ["x"]),
    ({"enum": ["a b", 1, None]}, ["a b", "1", "null"], ['"a b"', "2"]),
    ({"type": ["string", "null"], "minLength": 5}, ["abcde", "null"], ["abcd"]),
    ({"anyOf": [{"type": "string", "pattern": "^x$"}, {"type": "integer"}]}, ["x", "12"], ["y", '"x"']),
    ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, ["x", "12"], []),
    ({"allOf": [{"$ref": "#/$defs/word"}, {"maxLength": 2}]}, ["ab"], ["abc"]),
    ({"type": "object", "properties": {"a": {"type": "integer"}}}, ['{"a": 1}'], ["{'a': 1}", "x"]),
    ({}, ["x"], []),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "inside", "outside"), BARE)
def test_a_bare_value_is_text_without_quotes_or_json(schema: JsonObject, inside: list[str], outside: list[str]) -> None:
    rules = Rules()
    grammar = rules.text(bare_rule(rules, schema, {"$defs": {"word": {"type": "string"}}}, "p", "</p>"))
    assert [text for text in inside if not accepts(grammar, f"{text}</p>")] == []
    assert [text for text in outside if accepts(grammar, f"{text}</p>")] == []


@pytest.mark.parametrize(("text", "is_written"), [("\\ud83d\\ude00", True), ("\\ud83d", False), ("\\ude00", False), ("\\ud7ff", True)])
def test_no_string_holds_half_a_character(text: str, is_written: bool) -> None:
    assert accepts(format_grammar({"type": "string"}).gbnf, f'"{text}"') is is_written


@given(bounds=st.lists(st.integers(-3000, 3000), min_size=2, max_size=2).map(sorted), value=st.integers(-4000, 4000))
@settings(max_examples=150, deadline=None)
def test_bounded_integers_are_exactly_those_between(bounds: list[int], value: int) -> None:
    low, high = bounds
    assert accepts(f"root ::= {integers(low, high)}", str(value)) == (low <= value <= high)
    assert accepts(f"root ::= {integers(low, None)}", str(value)) == (value >= low)
    assert accepts(f"root ::= {integers(None, high)}", str(value)) == (value <= high)


@given(st.text("ab<", max_size=12))
@settings(max_examples=150, deadline=None)
def test_text_until_a_tag_ends_with_the_first_tag(text: str) -> None:
    rules = Rules()
    grammar = rules.text(rules.until("ab<ab"))
    assert accepts(grammar, text + "ab<ab") == ("ab<ab" not in (text + "ab<ab")[:-1])


WRITTEN = {
    "sample-json": CallGrammar(syntax=JsonCalls(), open="<tool_call>\n", close="\n</tool_call>"),
    "sample-json-list": CallGrammar(syntax=JsonCalls(), before="[TOOL_CALLS][", between=", ", after="]"),
    "sample-header": CallGrammar(syntax=NamedCalls(name_ends=("[ARGS]",)), open="[TOOL_CALLS]", between=""),
    "sample-python": CallGrammar(syntax=PythonCalls(), before="<function_calls>", after="</function_calls>"),
    "qwen": CallGrammar(syntax=XmlCalls(), open="<tool_call>\n", close="\n</tool_call>"),
}
ANSWERS = {
    "sample-json": '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Ulm", "days": 3}}\n</tool_call>',
    "sample-json-list": '[TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Ulm"}}, {"name": "stop", "arguments": {}}]',
    "sample-header": '[TOOL_CALLS]get_weather[ARGS]{"city": "Ulm", "flags": [true]}[TOOL_CALLS]stop[ARGS]{}',
    "sample-python": '<function_calls>get_weather(city="Ulm", units=null)\nstop()</function_calls>',
    "qwen": (
        "<tool_call>\n<function=get_weather>\n<parameter=city>\nU</para\nlm\n</parameter>\n"
        "<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>"
    ),
}
REQUIRED = Conversation(messages=(), tools=TOOLS, tool_choice="required")


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_a_forced_call_is_one_that_the_parser_reads_back(name: str) -> None:
    form = replace(FORMATS.get(name, FORMATS["sample-json"]), calls=WRITTEN[name])
    grammar = form.parser(TOOLS).grammar(REQUIRED)
    assert grammar is not None
    assert accepts(grammar.gbnf, ANSWERS[name])
    assert not accepts(grammar.gbnf, "Hello")
    assert not accepts(grammar.gbnf, ANSWERS[name].replace("get_weather", "get_water"))
    assert not accepts(grammar.gbnf, ANSWERS[name].replace("city", "town"))
    if name != "qwen":
        calls = fold(form.parser(TOOLS).feed(ANSWERS[name])).tool_calls
        assert calls[0].arguments["city"] == "Ulm"


def test_one_call_only_when_calls_may_not_be_parallel() -> None:
    form = replace(FORMATS["sample-json"], calls=WRITTEN["sample-json"])
    two = f"{ANSWERS['sample-json']}\n{ANSWERS['sample-json']}"
    assert accepts(form.parser(TOOLS).grammar(REQUIRED).gbnf, two)
    assert not accepts(form.parser(TOOLS).grammar(replace(REQUIRED, parallel_tool_calls=False)).gbnf, two)
    assert not accepts(form.parser(TOOLS).grammar(replace(REQUIRED, tool_choice=NamedTool(name="get_weather"))).gbnf, two)


def test_a_named_tool_is_the_only_one_that_can_be_called() -> None:
    form = replace(FORMATS["sample-json"], calls=WRITTEN["sample-json"])
    grammar = form.parser(TOOLS).grammar(replace(REQUIRED, tool_choice=NamedTool(name="stop")))
    assert not accepts(grammar.gbnf, ANSWERS["sample-json"])
    assert accepts(grammar.gbnf, '<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call>')


def test_a_request_that_wants_no_thinking_gets_none() -> None:
    grammar = replace(FORMATS["sample-json"], calls=WRITTEN["sample-json"]).parser(TOOLS).grammar(REQUIRED)
    assert not accepts(grammar.gbnf, f"<think>hm</think>{ANSWERS['sample-json']}")


@pytest.mark.parametrize("suffix", ["", "<think>\n"])
def test_thinking_may_come_before_a_forced_call(suffix: str) -> None:
    form = replace(FORMATS["sample-json"], calls=WRITTEN["sample-json"])
    grammar = form.parser(TOOLS, suffix).grammar(replace(REQUIRED, think=True))
    opening = "" if suffix else "<think>"
    assert accepts(grammar.gbnf, f"{opening}I think < so</think>\n\n{ANSWERS['sample-json']}")
    assert accepts(grammar.gbnf, ANSWERS["sample-json"]) == (not suffix)


def test_structured_output_waits_for_the_end_of_thinking() -> None:
    wanted = Conversation(messages=(), format={"type": "integer"})
    grammar = FORMATS["sample-json"].parser((), "<think>\n").grammar(wanted)
    assert grammar.triggers == ("</think>",)
    assert accepts(grammar.gbnf, "</think>\n\n42")
    assert not accepts(grammar.gbnf, "42")


@pytest.mark.parametrize(("suffix", "written"), [("", "<user>42"), ("<self>", "<next><user>42")])
def test_structured_output_stands_behind_what_comes_before_text(suffix: str, written: str) -> None:
    states = {
        "address": State(Sink.CONTENT, (On("<self>", goto="thinking"), On("<user>", goto="content")), before_text="<user>"),
        "thinking": State(Sink.THINKING, (On("<next>", goto="address"),)),
        "content": State(Sink.CONTENT),
    }
    wanted = Conversation(messages=(), format={"type": "integer"})
    grammar = Format(states=states, start="address").parser((), suffix).grammar(wanted)
    assert accepts(grammar.gbnf, written)
    assert not accepts(grammar.gbnf, written.replace("<user>", ""))


def test_structured_output_may_be_a_call_when_there_are_tools() -> None:
    form = replace(FORMATS["sample-json"], calls=WRITTEN["sample-json"])
    grammar = form.parser(TOOLS).grammar(Conversation(messages=(), tools=TOOLS, format="json"))
    assert accepts(grammar.gbnf, '{"a": 1}')
    assert accepts(grammar.gbnf, ANSWERS["sample-json"])
    assert not accepts(grammar.gbnf, "Hello")


def test_free_text_needs_no_grammar() -> None:
    assert FORMATS["sample-json"].parser(TOOLS).grammar(Conversation(messages=(), tools=TOOLS)) is None
    assert format_grammar(None) is None


def test_a_choice_that_can_not_be_obeyed_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no tool is named 'x'"):
        FORMATS["sample-json"].parser(TOOLS).grammar(replace(REQUIRED, tool_choice=NamedTool(name="x")))
    with pytest.raises(InvalidInput, match="there are no tools"):
        FORMATS["sample-json"].parser(()).grammar(replace(REQUIRED, tools=()))
    with pytest.raises(Unsupported):
        FORMATS["sample-json"].parser(TOOLS).grammar(REQUIRED)


@pytest.mark.long
def test_llama_cpp_reads_every_generated_grammar() -> None:
    grammars = [format_grammar(schema).gbnf for schema, _, _ in SCHEMAS if isinstance(schema, dict)]
    for name, calls in WRITTEN.items():
        form = replace(FORMATS.get(name, FORMATS["sample-json"]), calls=calls)
        grammars.append(form.parser(TOOLS).grammar(REQUIRED).gbnf)
    script = (
        "import json, sys, llama_cpp\n"
        "for grammar in json.load(sys.stdin):\n"
        "    sampler = llama_cpp.llama_sampler_init_grammar(None, grammar.encode(), b'root')\n"
        "    print('read' if sampler else grammar)\n"
    )
    finished = subprocess.run([sys.executable, "-c", script], input=json.dumps(grammars), capture_output=True, text=True, check=True)
    assert finished.stdout.split("\n")[:-1] == ["read"] * len(grammars)
