"""Harmony's parser reads messages whatever the order of their headers' words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gbnf_recogniser import accepts
from harmony_reference import encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.conversation import Conversation, NamedTool
from corral.errors import InvalidInput
from corral.events import CallStatus, ThinkingEnd, ToolCallArgsDelta, ToolCallStart
from corral.formats import Answer, fold
from corral_harmony.parsing import HarmonyParser, Header, read_header

if TYPE_CHECKING:
    from corral.conversation import JsonObject
    from corral.events import ParserEvent

TOOLS: tuple[JsonObject, ...] = (
    {"type": "function", "function": {"name": "get-weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}},
    {"type": "function", "function": {"name": "python", "parameters": {"type": "object", "properties": {"code": {"type": "string"}}}}},
)
CALL = ' to=functions.get_weather<|channel|>commentary <|constrain|>json<|message|>{"city": "Ulm"}'


def events(text: str, split: int = 0, suffix: str = "") -> list[ParserEvent]:
    parser = HarmonyParser(TOOLS, suffix)
    size = split or max(1, len(text))
    return [e for at in range(0, len(text), size) for e in parser.feed(text[at : at + size])] + parser.finish("stop")


def answer(text: str, suffix: str = "") -> Answer:
    whole = fold(events(text, suffix=suffix))
    assert all(fold(events(text, split, suffix)) == whole for split in (1, 2, 5))
    return whole


@pytest.mark.parametrize(
    ("text", "channel", "recipient"),
    [
        ("", "", ""),
        ("assistant", "", ""),
        ("<|channel|>analysis", "analysis", ""),
        ("assistant<|channel|>final", "final", ""),
        (" to=functions.f<|channel|>commentary", "commentary", "functions.f"),
        ("<|channel|>commentary to=functions.f", "commentary", "functions.f"),
        ("<|channel|>commentary to=functions.f <|constrain|>json", "commentary", "functions.f"),
        ("<|channel|>commentary to=functions.f<|constrain|>json", "commentary", "functions.f"),
        (" to=functions.f<|channel|>commentary<|constrain|>json", "commentary", "functions.f"),
        ("<|channel|>commentary<|constrain|>json", "commentary", ""),
        ("<|channel|>commentary to=functions.f code", "commentary", "functions.f"),
        ("assistant to=browser.search<|channel|>analysis", "analysis", "browser.search"),
        ("<|channel|>commentary to=assistant<|channel|>analysis", "analysis", ""),
        ("functions.f<|channel|>commentary", "commentary", "functions.f"),
        ("<|channel|>commentary to=all", "commentary", ""),
    ],
)
def test_a_header_is_understood_in_any_order(text: str, channel: str, recipient: str) -> None:
    assert read_header(text) == Header(channel, recipient)


def test_what_a_header_says_besides_is_reported() -> None:
    found = answer("assistant who<|channel|>aside<|message|>text")
    assert [diagnostic.raw for diagnostic in found.diagnostics] == ["assistant who<|channel|>aside"]
    assert found.content == "text"


def test_channels_are_thinking_and_content() -> None:
    found = answer(
        "<|channel|>analysis<|message|>We think.\n<|end|><|start|>assistant<|channel|>commentary<|message|>Wait. <|end|>"
        "<|start|>assistant<|channel|>final<|message|>Done\n<|return|>"
    )
    assert (found.thinking, found.content) == ("We think.\n", "Wait. Done\n")


def test_thinking_ends_once() -> None:
    """F73."""
    assert events("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b").count(ThinkingEnd("tag")) == 1


@pytest.mark.parametrize("end", ["<|call|>", "", "<|end|>"])
def test_a_call_keeps_the_clients_name_and_needs_no_end_token(end: str) -> None:
    (call,) = answer(CALL + end).tool_calls
    assert (call.name, call.arguments, call.status) == ("get-weather", {"city": "Ulm"}, CallStatus.OK)
    assert call.raw == CALL + end


def test_several_calls_in_one_answer_are_several_calls() -> None:
    found = answer(f"{CALL}<|call|><|start|>assistant{CALL}<|call|>")
    assert [call.index for call in found.tool_calls] == [0, 1]


def test_arguments_arrive_while_they_are_written() -> None:
    parser = HarmonyParser(TOOLS)
    assert parser.feed(CALL[: CALL.index("{")]) == [ToolCallStart(0, "get-weather")]
    assert parser.feed('{"city": "U') == [ToolCallArgsDelta(0, '{"city": "U')]
    assert parser.feed("l") == [ToolCallArgsDelta(0, "l")]


@pytest.mark.parametrize(
    ("text", "name", "arguments", "status"),
    [
        ("<|channel|>analysis to=python code<|message|>print(1)<|call|>", "python", {"code": "print(1)"}, CallStatus.REPAIRED),
        ("<|channel|>commentary to=functions.get_weather<|message|>", "get-weather", {}, CallStatus.TRUNCATED),
        ('<|channel|>commentary to=functions.get_weather<|message|>{"city": "U', "get-weather", {"city": "U"}, CallStatus.TRUNCATED),
        (
            '<|channel|>commentary to=functions.get_weather<|message|>{"city": 1} x<|call|>',
            "get-weather",
            {"city": 1},
            CallStatus.MALFORMED,
        ),
        ("<|channel|>commentary to=functions.other<|message|>nothing<|call|>", "other", {}, CallStatus.MALFORMED),
        ("<|channel|>analysis to=browser.search<|message|>{}<|call|>", "browser.search", {}, CallStatus.UNKNOWN_TOOL),
    ],
)
def test_a_call_with_a_fault_is_read_as_far_as_it_goes(text: str, name: str, arguments: JsonObject, status: CallStatus) -> None:
    """F69."""
    (call,) = answer(text).tool_calls
    assert (call.name, call.arguments, call.status, call.raw) == (name, arguments, status, text)


@pytest.mark.parametrize("text", ["Hello", "Hello\nworld", " ", "<|channel|>fin", "a" * 1000, "<|channel|>analysis<|end|> x"])
def test_text_without_a_header_is_content(text: str) -> None:
    assert answer(text).content == text.replace("<|end|>", "")


@pytest.mark.parametrize(("suffix", "thinking", "content"), [("final", "", " on"), ("analysis", " on", "")])
def test_an_answer_goes_on_where_the_prompt_ends(suffix: str, thinking: str, content: str) -> None:
    found = answer(" on", suffix=f"<|channel|>{suffix}<|message|>I went")
    assert (found.thinking, found.content) == (thinking, content)


def test_a_forced_call_may_be_thought_about() -> None:
    grammar = HarmonyParser(TOOLS).grammar(Conversation(messages=(), tools=TOOLS, tool_choice=NamedTool(name="get-weather")))
    assert accepts(grammar.gbnf, CALL)
    assert accepts(grammar.gbnf, f"<|channel|>analysis<|message|>hm<|end|><|start|>assistant{CALL}")
    assert not accepts(grammar.gbnf, "<|channel|>final<|message|>no")


def test_structured_output_stands_on_the_final_channel() -> None:
    wanted = Conversation(messages=(), format={"type": "integer"})
    assert accepts(
        HarmonyParser(()).grammar(wanted).gbnf, "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>42"
    )
    assert accepts(HarmonyParser((), "<|channel|>final<|message|>").grammar(wanted).gbnf, "42")
    assert HarmonyParser(()).grammar(Conversation(messages=())) is None


def test_a_tool_that_is_not_there_can_not_be_forced() -> None:
    with pytest.raises(InvalidInput, match="no tool is named 'x'"):
        HarmonyParser(TOOLS).grammar(Conversation(messages=(), tools=TOOLS, tool_choice=NamedTool(name="x")))


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="<"), min_size=1, max_size=20)
_PARTS = st.lists(st.tuples(st.sampled_from(["analysis", "commentary", "final"]), _TEXT), min_size=1, max_size=4)


@pytest.mark.long
@given(parts=_PARTS)
@settings(max_examples=150, deadline=None)
def test_messages_are_read_as_the_library_reads_them(parts: list[tuple[str, str]]) -> None:
    encoder = encoding()
    import openai_harmony as oh

    text = "<|end|><|start|>assistant".join(f"<|channel|>{channel}<|message|>{said}" for channel, said in parts) + "<|return|>"
    theirs = encoder.parse_messages_from_completion_tokens(encoder.encode(text, allowed_special="all"), oh.Role.ASSISTANT)
    by_channel = {True: "", False: ""}
    for message in theirs:
        by_channel[message.channel == "analysis"] += message.content[0].text
    found = answer(text)
    assert (found.thinking, found.content) == (by_channel[True], by_channel[False])
