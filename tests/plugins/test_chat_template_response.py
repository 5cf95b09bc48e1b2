"""A model's own `response_template` (transformers' way to describe answers) is read natively."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corral.conversation import Conversation, Message, Prompt
from corral.formats import fold
from corral.spec import Choice, ModelFacts, ModelSpec, Origin
from corral_chat_template import ChatTemplate
from corral_chat_template.response_template import read_response_template

FUNCTION = {"type": "function", "function": "{content}"}
THINK = {"open": "<think>", "close": "</think>"}
WHOLE = {"open": "<call>", "close": "</call>", "content": "json", "repeats": True, "transform": FUNCTION}
LISTED = {
    "open": "<calls>",
    "close": "</calls>",
    "content": "json",
    "transform_each": True,
    "transform": {"type": "function", "function": {"name": "{tool_name}", "arguments": "{parameters}"}},
}
NAMED = {
    "open_pattern": r"<\|to=functions\.(?P<name>\w+).*?<\|message\|>",
    "close": "<|call|>",
    "content": "json",
    "repeats": True,
    "transform": {"type": "function", "function": {"name": "{name}", "arguments": "{content}"}},
}
TAGGED = {
    "open_pattern": r"<call>\s*<function=(?P<name>\w+)>",
    "close": "</call>",
    "repeats": True,
    "content": "xml-inline",
    "content_args": {
        "tag_pattern": r"<parameter=(?P<key>\w+)>\s*(?P<value>.*?)\s*</parameter>",
        "value_parser": {"name": "json", "args": {"allow_non_json": True}},
    },
    "transform": {"type": "function", "function": {"name": "{name}", "arguments": "{content}"}},
}
ANSWERS = [
    (WHOLE, '<think>\nWell\n</think>\n\nSure.\n<call>\n{"name": "f", "arguments": {"a": "x", "n": 1}}\n</call><|end|>'),
    (WHOLE, "Hi<|end|>"),
    (LISTED, '<think>Well</think><calls>[{"id": 0, "tool_name": "f", "parameters": {"a": "x"}}]</calls>'),
    (NAMED, '<|to=functions.f json<|message|>{"a": "x", "n": 1}<|call|>'),
    (
        TAGGED,
        "<think>Well</think><call>\n<function=f>\n<parameter=a>\nx\n</parameter>\n<parameter=n>\n1\n</parameter>\n</function>\n</call>",
    ),
]
TOOL = {
    "type": "function",
    "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}},
}


def template(calls) -> dict:
    fields = {"thinking": THINK, "content": {"close": "<|end|>"}, "tool_calls": calls}
    return {"defaults": {"role": "assistant"}, "start_anchor": "<|assistant|>", "fields": fields}


def read(calls, text: str, size: int) -> dict:
    parser = read_response_template(json.dumps(template(calls))).parser([TOOL])
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    answer = fold([event for piece in pieces for event in parser.feed(piece)] + parser.finish("stop"))
    made = [{"type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in answer.tool_calls]
    return {"content": answer.content, "thinking": answer.thinking, "tool_calls": made}


EXPECTED = [
    ("Sure.", "Well", {"a": "x", "n": 1}),
    ("Hi", "", None),
    ("", "Well", {"a": "x"}),
    ("", "", {"a": "x", "n": 1}),
    ("", "Well", {"a": "x", "n": 1}),
]


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(("case", "expected"), [*zip(ANSWERS, EXPECTED, strict=True)])
def test_answers_are_read_as_the_response_template_says(case, expected, size):
    content, thinking, arguments = expected
    found = read(*case, size)
    assert (found["content"], found["thinking"]) == (content, thinking)
    assert [call["function"] for call in found["tool_calls"]] == ([{"name": "f", "arguments": arguments}] if arguments else [])


@pytest.mark.long
@pytest.mark.parametrize("case", ANSWERS)
def test_transformers_reads_the_same(case):
    parsing = pytest.importorskip("transformers.utils.chat_parsing")
    calls, text = case
    expected = parsing.parse_response(text, template(calls), prefix="", tools=[TOOL])
    found = {name: value for name, value in read(calls, text, 1000).items() if value}
    assert found == {name: value for name, value in expected.items() if name != "role"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version": 2, "fields": {}}',
        '{"fields": []}',
        json.dumps(template(NAMED | {"open_pattern": "(a|b)(?P<name>x)"})),
        json.dumps(template(TAGGED | {"content_args": {}})),
        json.dumps(template(WHOLE | {"open_pattern": "[^<]*"})),
        json.dumps(template(NAMED | {"content": "kv-lines"})),
    ],
)
def test_what_can_not_be_read_natively_is_left_to_inference(text):
    assert read_response_template(text) is None


def test_a_models_response_template_replaces_inference():
    choice = Choice(name="chat-template", origin=Origin.DEFAULT)
    templates = (("response_template", json.dumps(template(WHOLE))),)
    facts = ModelFacts(architecture="llama", chat_template="{{ messages[0].content }}", chat_templates=templates)
    model = ModelSpec(name="m", digest="0" * 64, path=Path("m"), facts=facts, renderer=choice, parser=choice, runner=choice)
    conversation = Conversation(messages=(Message(role="user", content="Hi"),), tools=(TOOL,))
    plugin = ChatTemplate()
    parser = plugin.parse_output(model, conversation, Prompt(segments=()))
    assert [call.name for call in fold(parser.feed(ANSWERS[0][1]) + parser.finish("stop")).tool_calls] == ["f"]
    support = plugin.declare_capabilities().parsers[0].support_for(model)
    assert (support.tools, support.thinking) == (True, "optional")
    plugin.close()
