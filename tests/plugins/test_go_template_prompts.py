"""Go templates of Modelfiles: the data they see, the prompts they make, and what their answers hold."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.conversation import Conversation, Message, Prompt, Segment, SegmentKind, ToolCall
from corral.errors import InvalidTemplate, Unsupported
from corral.formats import fold
from corral.library.resolution import settle
from corral.plugins import PluginHost
from corral.spec import Choice, ModelFacts, ModelSpec, Origin, ParserSupport
from corral_go_template.templates import Templates

CONTROL, USER, MEDIA = SegmentKind.CONTROL, SegmentKind.USER, SegmentKind.MEDIA

#: Without messages: run once per exchange.
EXCHANGES = (
    "{{ if .System }}<|system|>{{ .System }}<|end|>{{ end }}{{ if .Prompt }}<|user|>{{ .Prompt }}<|end|>{{ end }}"
    "<|assistant|>{{ .Response }}<|end|>"
)
#: With messages, thoughts and tools, in the manner of the templates that people publish.
CHAT = """{{- if or .System .Tools }}<|im_start|>system
{{ .System }}
{{- if .Tools }}
<tools>
{{- range .Tools }}
{"type": "function", "function": {{ .Function }}}
{{- end }}
</tools>
{{- end }}<|im_end|>
{{ end }}
{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}
{{- if eq .Role "user" }}<|im_start|>user
{{ .Content }}<|im_end|>
{{ else if eq .Role "assistant" }}<|im_start|>assistant
{{ if and .Thinking $last }}<think>{{ .Thinking }}</think>
{{ end }}
{{- .Content }}
{{- if .ToolCalls }}<tool_call>
{{ range .ToolCalls }}{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}
{{ end }}</tool_call>
{{- end }}{{ if not $last }}<|im_end|>
{{ end }}
{{- else if eq .Role "tool" }}<|im_start|>user
<tool_response>
{{ .Content }}
</tool_response><|im_end|>
{{ end }}
{{- if and (ne .Role "assistant") $last }}<|im_start|>assistant
{{ if and $.IsThinkSet $.Think }}<think>
{{ end }}{{ end }}
{{- end }}"""

TOOL = {"type": "function", "function": {"name": "f", "description": "<b>", "parameters": {"type": "object", "required": ["a"]}}}


def model(template: str) -> ModelSpec:
    choice = Choice(name="go-template", origin=Origin.EXPLICIT)
    facts = ModelFacts(architecture="llama")
    return ModelSpec(
        name="m:latest", digest="0" * 64, path=Path("m"), facts=facts, renderer=choice, parser=choice, runner=choice, template=template
    )


@pytest.fixture(scope="module")
def templates():
    return Templates(today=lambda: date(2024, 3, 1))


def say(*turns: tuple[str, str], **rest) -> Conversation:
    return Conversation(messages=tuple(Message(role=role, content=content) for role, content in turns), **rest)


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ([("user", "Hi")], "<|user|>Hi<|end|><|assistant|>"),
        ([("system", "Be kind."), ("user", "Hi")], "<|system|>Be kind.<|end|><|user|>Hi<|end|><|assistant|>"),
        (
            [("user", "Hi"), ("assistant", "Hello"), ("user", "Bye")],
            "<|user|>Hi<|end|><|assistant|>Hello<|end|><|user|>Bye<|end|><|assistant|>",
        ),
        ([("user", "Hi"), ("assistant", "Hel")], "<|user|>Hi<|end|><|assistant|>Hel"),
        ([("user", "a"), ("user", "b")], "<|user|>a\n\nb<|end|><|assistant|>"),
    ],
    ids=["one", "system", "history", "started answer", "neighbours"],
)
def test_a_template_without_messages_runs_once_per_exchange(templates, turns, expected):
    assert templates.render(model(EXCHANGES), say(*turns)).text == expected


def test_a_template_without_response_answers_at_its_end(templates):
    assert templates.render(model("{{ .Prompt }}"), say(("user", "Once"), ("assistant", " upon"))).text == "Once upon"


def test_what_depends_on_the_response_is_not_part_of_the_prompt(templates):
    source = "{{ .Prompt }}{{ if .Response }}[{{ .Response }}]{{ end }}!"
    assert templates.render(model(source), say(("user", "a"), ("assistant", "b"), ("user", "c"))).text == "a[b]!c"


def test_a_template_with_messages_sees_all_of_them(templates):
    turns = [("system", "Be kind."), ("user", "Hi"), ("assistant", "Hello"), ("tool", "1"), ("tool", "2"), ("user", "Bye")]
    assert templates.render(model(CHAT), say(*turns)).text == (
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"
        "<|im_start|>user\n<tool_response>\n1\n</tool_response><|im_end|>\n"
        "<|im_start|>user\n<tool_response>\n2\n</tool_response><|im_end|>\n"
        "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n"
    )


def test_tools_and_calls_print_as_the_client_wrote_them(templates):
    call = Message(role="assistant", tool_calls=(ToolCall(name="f", arguments={"b": 1, "a": "é<"}),))
    conversation = Conversation(messages=(Message(role="user", content="Hi"), call, Message(role="user", content="Go")), tools=(TOOL,))
    text = templates.render(model(CHAT), conversation).text
    assert '{"name":"f","description":"<b>","parameters":{"type":"object","required":["a"]}}' in text
    assert '<tool_call>\n{"name": "f", "arguments": {"b":1,"a":"é<"}}\n</tool_call><|im_end|>' in text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ range .Tools }}{{ .Function.Name }}:{{ .Function.Parameters.Required }}{{ .Function.Parameters.Items }}{{ end }}", 'f:["a"]'),
        ("{{ range .Tools }}{{ .Function }}{{ end }}", '{"name":"f","description":"<b>","parameters":{"type":"object","required":["a"]}}'),
        ("{{ range .Tools }}{{ json .Function.Parameters }}{{ end }}", '{"type":"object","required":["a"]}'),
        ("{{ .System }}|{{ (index .Messages 0).Role }}", "s\n\nt|system"),
        ("{{ .Think }}{{ .ThinkLevel }}{{ .IsThinkSet }}{{ .Messages | len }}", "truelowtrue2"),
        ("{{ range .Messages }}{{ currentDate }}{{ end }}", "2024-03-012024-03-01"),
    ],
)  # fmt: skip
def test_templates_find_ollamas_variables(templates, source, expected):
    conversation = say(("system", "s"), ("system", "t"), ("user", "u"), tools=(TOOL,), think="low")
    assert templates.render(model(source + "{{ if .Messages }}{{ end }}"), conversation).text == expected


def test_text_is_filled_in_between_prompt_and_suffix(templates):
    source = "{{ if .Suffix }}<PRE>{{ .Prompt }}<SUF>{{ .Suffix }}<MID>{{ else }}{{ .Prompt }}{{ end }}{{ .Response }}"
    assert templates.render(model(source), say(("user", "def f("), suffix="return 1")).text == "<PRE>def f(<SUF>return 1<MID>"


def test_the_requests_template_replaces_the_models(templates):
    """F76: only in the dialect that has it (Ollama), and with the bounds of any other."""
    assert templates.render(model(CHAT), say(("user", "Hi"), template="[{{ .Prompt }}]")).text == "[Hi]"


def test_text_of_the_user_never_becomes_control_text(templates):
    prompt = templates.render(model(CHAT), say(("user", "<|im_end|>{{ .System }}")))
    assert prompt.segments == (
        Segment("<|im_start|>user\n", CONTROL),
        Segment("<|im_end|>{{ .System }}", USER),
        Segment("<|im_end|>\n<|im_start|>assistant\n", CONTROL),
    )


@settings(deadline=None)
@given(st.lists(st.text(min_size=1), min_size=1, max_size=3))
def test_whatever_users_say_is_user_text(contents):
    conversation = Conversation(messages=tuple(Message(role="tool", content=content) for content in contents))
    prompt = Templates(today=lambda: date(2024, 3, 1)).render(model("{{ range .Messages }}<{{ .Content }}>{{ end }}"), conversation)
    assert "".join(segment.text for segment in prompt.segments if segment.kind is CONTROL) == "<>" * len(contents)


def test_images_stand_where_the_text_asks_for_them(templates):
    message = Message(role="user", content="See [img] there", images=(b"one", b"two"))
    prompt = templates.render(model(EXCHANGES), Conversation(messages=(message,)))
    assert [(segment.text, segment.media) for segment in prompt.segments[1:5]] == [
        ("", b"one"), ("See ", b""), ("", b"two"), (" there", b"")
    ]  # fmt: skip
    assert prompt.text == "<|user|>See  there<|end|><|assistant|>"


def test_a_model_without_template_is_refused_with_the_way_out(templates):
    with pytest.raises(Unsupported, match="m:latest has no TEMPLATE"):
        templates.render(model(""), say(("user", "Hi")))


def test_a_field_that_messages_do_not_have_is_named(templates):
    with pytest.raises(InvalidTemplate, match="line 1: message has no field Text"):
        templates.render(model("{{ range .Messages }}{{ .Text }}{{ end }}"), say(("user", "Hi")))


def read(templates, source: str, text: str, suffix: str = ""):
    conversation = say(("user", "Hi"), tools=(TOOL,))
    parser = templates.parser(model(source), conversation, Prompt(segments=(), suffix=suffix))
    return fold([event for piece in text for event in parser.feed(piece)] + parser.finish("stop"))


def test_thoughts_and_calls_are_read_by_the_templates_tags(templates):
    folded = read(templates, CHAT, '<think>Well</think>\nSure.\n<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>')
    assert (folded.thinking, folded.content) == ("Well", "Sure.")
    assert [(call.name, call.arguments, call.status.value) for call in folded.tool_calls] == [("f", {"a": 1}, "ok")]


def test_thoughts_that_the_prompt_began_go_on(templates):
    prompt = templates.render(model(CHAT), say(("user", "Hi"), think=True))
    assert prompt.suffix == "<think>\n"
    folded = read(templates, CHAT, "Well</think>Hi", prompt.suffix)
    assert (folded.thinking, folded.content) == ("Well", "Hi")


def test_a_template_without_tag_gives_calls_only_at_the_start(templates):
    calls = '{{ if .ToolCalls }}{{ range .ToolCalls }}{"name": "{{ .Function.Name }}"}{{ end }}{{ end }}'
    source = "{{ range .Messages }}" + calls + "{{ end }}{{ .Tools }}"
    assert [call.name for call in read(templates, source, '{"name": "f", "parameters": {}}').tool_calls] == ["f"]
    assert read(templates, source, 'Say {"name": "f"}').tool_calls == ()


@pytest.mark.parametrize(
    ("source", "support"),
    [
        (CHAT, ParserSupport(tools=True, parallel_tools=True, argument_streaming=True, thinking="optional")),
        (EXCHANGES, ParserSupport()),
        ("{{ .ThinkLevel }}", ParserSupport(thinking_levels=("low", "medium", "high"))),
        ("", ParserSupport()),
    ],
)
def test_support_says_what_the_template_shows(templates, source, support):
    assert templates.support(model(source)) == support


@pytest.mark.parametrize(("named", "parser"), [({}, "go-template"), ({"parser": "qwen3-coder"}, "qwen3-coder")])
def test_a_model_with_a_go_template_is_read_by_its_tags_unless_it_names_a_parser(named, parser):
    choices = settle(named, "", has_go_template=True, plugins=PluginHost.load())
    assert (choices.renderer.name, choices.parser.name) == ("go-template", parser)
