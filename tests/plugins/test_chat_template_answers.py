"""What the generic parser learns from a template, and what it makes of answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from gbnf_recogniser import accepts
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.conversation import Conversation, Message, NamedTool, Prompt
from corral.formats import fold
from corral.spec import Choice, ModelFacts, ModelSpec, Origin, ParserSupport
from corral_chat_template import ChatTemplate

THINKING = "{% if m.reasoning_content %}<think>\n{{ m.reasoning_content }}\n</think>\n\n{% endif %}"
TURN = "{% for m in messages %}<|im_start|>{{ m.role }}\n" + THINKING
END = "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
TOOLS = "{% if tools %}{{ tools | tojson }}\n{% endif %}"
CONTENT = "{{ m.content }}"

HERMES = """{% for c in m.tool_calls %}<tool_call>
{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}
</tool_call>
{% endfor %}"""
LISTED = (
    "{% if m.tool_calls %}[TOOL_CALLS][{% for c in m.tool_calls %}{{ c.function | tojson }}"
    "{{ ', ' if not loop.last }}{% endfor %}]{% endif %}"
)
BARE = "{% for c in m.tool_calls %}{{ {'name': c.function.name, 'parameters': c.function.arguments} | tojson }}{% endfor %}"
NAMED = "{% for c in m.tool_calls %}<function={{ c.function.name }}>{{ c.function.arguments | tojson }}</function>{% endfor %}"
GROUPED = (
    "{% if m.tool_calls %}<calls>{% for c in m.tool_calls %}<call>functions.{{ c.function.name }}:{{ loop.index0 }}<args>"
    "{{ c.function.arguments | tojson }}</call>{% endfor %}</calls>{% endif %}"
)
TAGGED = """{% for c in m.tool_calls %}<tool_call>
<function={{ c.function.name }}>
{% for k, v in c.function.arguments.items() %}<parameter={{ k }}>
{{ v if v is string else v | tojson }}
</parameter>
{% endfor %}</function>
</tool_call>
{% endfor %}"""
PYTHON = (
    "{% if m.tool_calls %}<|calls|>[{% for c in m.tool_calls %}{{ c.function.name }}("
    "{% for k, v in c.function.arguments.items() %}{{ k }}={{ v | tojson }}{{ ', ' if not loop.last }}{% endfor %})"
    "{{ ', ' if not loop.last }}{% endfor %}]<|/calls|>{% endif %}"
)
SYNTAXES = {"hermes": HERMES, "list": LISTED, "bare": BARE, "named": NAMED, "grouped": GROUPED, "tagged": TAGGED, "python": PYTHON}
WRITTEN = {
    "hermes": '<tool_call>\n{"name": "f", "arguments": {"a": "x", "n": 1}}\n</tool_call>',
    "list": '[TOOL_CALLS][{"name": "f", "arguments": {"a": "x", "n": 1}}]',
    "bare": '{"name": "f", "parameters": {"a": "x", "n": 1}}',
    "named": '<function=f>{"a": "x", "n": 1}</function>',
    "grouped": '<calls><call>functions.f:0<args>{"a": "x", "n": 1}</call></calls>',
    "tagged": "<tool_call>\n<function=f>\n<parameter=a>\nx\n</parameter>\n<parameter=n>\n1\n</parameter>\n</function>\n</tool_call>",
    "python": '<|calls|>[f(a="x", n=1)]<|/calls|>',
}
TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "parameters": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}, "required": ["a", "n"]},
    },
}


@pytest.fixture(scope="module")
def plugin():
    plugin = ChatTemplate()
    yield plugin
    plugin.close()


def model(template: str) -> ModelSpec:
    choice = Choice(name="chat-template", origin=Origin.DEFAULT)
    facts = ModelFacts(architecture="llama", chat_template=template, bos_token="<s>", eos_token="</s>")
    return ModelSpec(name="m", digest="0" * 64, path=Path("m"), facts=facts, renderer=choice, parser=choice, runner=choice)


def with_calls(syntax: str) -> ModelSpec:
    return model(TOOLS + TURN + CONTENT + SYNTAXES[syntax] + END)


def parser(plugin, spec: ModelSpec, suffix: str = "", **rest):
    conversation = Conversation(messages=(Message(role="user", content="Hi"),), tools=(TOOL,), **rest)
    return plugin.parse_output(spec, conversation, Prompt(segments=(), suffix=suffix))


def answer(plugin, spec: ModelSpec, text: str, size: int = 0, suffix: str = ""):
    reader = parser(plugin, spec, suffix)
    pieces = [text[at : at + size] for at in range(0, len(text), size)] if size else [text]
    return fold([event for piece in pieces for event in reader.feed(piece)] + reader.finish("stop"))


@pytest.mark.parametrize("size", [0, 1, 7])
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_calls_are_read_as_the_template_writes_them(plugin, syntax, size):
    before = "" if syntax == "bare" else "Let me see.\n"
    folded = answer(plugin, with_calls(syntax), f"{before}{WRITTEN[syntax]}", size)
    assert [(call.name, call.arguments, call.status.value) for call in folded.tool_calls] == [("f", {"a": "x", "n": 1}, "ok")]
    assert folded.content == before.strip()


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_calls_are_forced_as_the_template_writes_them(plugin, syntax):
    reader = parser(plugin, with_calls(syntax))
    forced = Conversation(messages=(), tools=(TOOL,), tool_choice=NamedTool(name="f"))
    grammar = reader.grammar(forced).gbnf
    written = WRITTEN[syntax].replace(":0<args>", "<args>")
    assert accepts(grammar, written)
    assert not accepts(grammar, f"No. {written}")
    assert [call.name for call in answer(plugin, with_calls(syntax), written).tool_calls] == ["f"]


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_support_says_what_the_template_shows(plugin, syntax):
    offer = plugin.declare_capabilities().parsers[0]
    support = offer.support_for(with_calls(syntax))
    assert support == ParserSupport(tools=True, parallel_tools=True, argument_streaming=True, constrains=True, thinking="optional")
    assert offer.support_for(model("{{ messages[0].content }}")) == ParserSupport()
    assert offer.support_for(model("{{ broken")) == ParserSupport()


@pytest.mark.parametrize(
    ("text", "thinking", "content"),
    [
        ("<think>\nWell\n</think>\n\nHi", "Well", "Hi"),
        ("Hi <think>no</think>", "", "Hi <think>no</think>"),
        ("<think>never ends", "never ends", ""),
        ("Hi", "", "Hi"),
    ],
)
def test_thoughts_are_told_from_text_by_the_templates_tags(plugin, text, thinking, content):
    folded = answer(plugin, model(TURN + CONTENT + END), text)
    assert (folded.thinking, folded.content) == (thinking, content)


def test_thoughts_that_the_prompt_began_go_on(plugin):
    spec = model(TURN + CONTENT + END.replace("assistant\n", "assistant\n<think>\n"))
    prompt = plugin.render_prompt(spec, Conversation(messages=(Message(role="user", content="Hi"),)))
    assert prompt.suffix == "<think>\n"
    folded = answer(plugin, spec, "Well</think>Hi", suffix=prompt.suffix)
    assert (folded.thinking, folded.content) == ("Well", "Hi")
    assert plugin.declare_capabilities().parsers[0].support_for(spec).thinking == "always"


def test_a_template_that_shows_nothing_gives_text(plugin):
    text = '{"name": "f"} <tool_call> x [TOOL_CALLS]'
    assert answer(plugin, model(TURN + CONTENT + END), text).content == text


def test_labels_of_plain_text_are_not_shown(plugin):
    spec = model("{% for m in messages %}<|start|>{{ m.role }}<|channel|>final<|message|>{{ m.content }}<|end|>{% endfor %}"
                 "{% if add_generation_prompt %}<|start|>assistant{% endif %}")  # fmt: skip
    assert answer(plugin, spec, "<|channel|>final<|message|>Hi").content == "Hi"


PARTS = ["<tool_call>", "\n", '{"name": "f", "arguments": {', '"a": 1', "}}", "</tool_call>", "<think>", "</think>", "é", " x"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PARTS)))
def test_pieces_of_an_answer_may_end_anywhere(plugin, parts):
    spec, text = with_calls("hermes"), "".join(parts)
    assert answer(plugin, spec, text, 1) == answer(plugin, spec, text)
