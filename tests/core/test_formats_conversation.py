"""Conversations come in from JSON with every mistake named by its path; events and answers go out as JSON."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING

import pytest

from corral.conversation import Conversation, Message, NamedTool, Segment, SegmentKind, ToolCall
from corral.errors import InvalidInput
from corral.events import (
    CallStatus,
    ContentDelta,
    Diagnostic,
    Finish,
    Logprobs,
    ThinkingDelta,
    ThinkingEnd,
    TokenLogprob,
    ToolCallArgsDelta,
    ToolCallEnd,
    ToolCallStart,
)
from corral.formats import Assembler, CallIds, PromptBuilder, answer_to_json, conversation_from_json, event_to_json, fold, tools_from_json

if TYPE_CHECKING:
    from corral.conversation import Json
    from corral.events import Event

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "odd": [1]}}}


def test_a_conversation_is_read_in_the_shape_of_ollama() -> None:
    data: Json = {
        "messages": [
            {"role": "System", "content": "S"},
            {"role": "user", "content": "U", "images": ["aGk="]},
            {"role": "assistant", "thinking": "T", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": {"b": 1, "a": 2}}}]},
            {"role": "tool", "content": "R", "tool_name": "f", "tool_call_id": "1"},
        ],
        "tools": [TOOL],
        "think": "low",
        "format": "json",
        "options": {"seed": 1},
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": False,
    }
    assert conversation_from_json(data) == Conversation(
        messages=(
            Message(role="system", content="S"),
            Message(role="user", content="U", images=(b"hi",)),
            Message(role="assistant", thinking="T", tool_calls=(ToolCall(name="f", arguments={"b": 1, "a": 2}, id="1"),)),
            Message(role="tool", content="R", tool_name="f", tool_call_id="1"),
        ),
        tools=(TOOL,),
        tool_choice=NamedTool(name="f"),
        parallel_tool_calls=False,
        think="low",
        format="json",
        options={"seed": 1},
    )


def test_the_shapes_of_openais_clients_are_read_too() -> None:
    parts = [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
        {"type": "text", "text": "b"},
    ]
    calls = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}, {"name": "g", "arguments": ""}]
    messages = [{"role": "user", "content": parts}, {"role": "assistant", "content": None, "reasoning_content": "T", "tool_calls": calls}]
    read = conversation_from_json({"messages": messages, "tools": None}).messages
    assert (read[0].content, read[0].images) == ("a\nb", (b"hi",))
    assert (read[1].thinking, [call.arguments for call in read[1].tool_calls]) == ("T", [{"a": 1}, {}])


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ([], "the conversation: must be an object"),
        ({"messages": {}}, "messages: must be a list"),
        ({"messages": [1]}, "messages[0]: must be an object"),
        ({"messages": [{"role": ""}]}, "messages[0].role: must not be empty"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content: must be a string"),
        ({"messages": [{"role": "user", "content": [{"type": "sound"}]}]}, "messages[0].content[0].type: 'sound'"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "http://x"}]}]},
            "messages[0].content[0].image_url: must be a data",
        ),
        ({"messages": [{"role": "user", "images": ["?"]}]}, "messages[0].images[0]: is not base64"),
        ({"messages": [{"role": "a", "tool_calls": [{"function": {}}]}]}, "messages[0].tool_calls[0].function.name: must not be empty"),
        (
            {"messages": [{"role": "a", "tool_calls": [{"function": {"name": "f", "arguments": "[1]"}}]}]},
            "messages[0].tool_calls[0].function.arguments: is a string that holds no JSON object",
        ),
        ({"messages": [], "tools": [{"function": {"name": 1}}]}, "tools[0].function.name: must be a string"),
        ({"messages": [], "tools": [{"function": {"name": "f", "parameters": [1]}}]}, "tools[0].function.parameters: must be an object"),
        ({"messages": [], "tool_choice": "sometimes"}, "tool_choice: must be"),
        ({"messages": [], "think": 3}, "think: must be"),
        ({"messages": [], "format": "xml"}, "format: must be"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_path(data: Json, path: str) -> None:
    with pytest.raises(InvalidInput, match="^" + re.escape(path)):
        conversation_from_json(data)


def test_tools_are_kept_as_the_client_wrote_them() -> None:
    assert tools_from_json([TOOL]) == (TOOL,)
    assert tools_from_json(None) == ()


EVENTS: list[Event] = [
    ThinkingDelta("t"),
    ThinkingEnd("tag"),
    ContentDelta("a"),
    ToolCallStart(0, "f"),
    ToolCallArgsDelta(0, "{}"),
    ToolCallEnd(0, "f", {}, CallStatus.REPAIRED, "raw"),
    ContentDelta("b"),
    Diagnostic("code", "message", "x"),
    Logprobs((TokenLogprob("a", -0.5),)),
    Finish("stop"),
]


def test_events_fold_into_one_answer() -> None:
    answer = fold(EVENTS)
    assert answer_to_json(answer) == {
        "content": "ab",
        "thinking": "t",
        "tool_calls": [{"name": "f", "arguments": {}, "status": "repaired"}],
        "diagnostics": [{"code": "code", "message": "message", "raw": "x"}],
    }
    assert answer.message() == Message(role="assistant", content="ab", thinking="t", tool_calls=(ToolCall(name="f", arguments={}),))


def test_an_assembler_knows_the_answer_so_far() -> None:
    assembler = Assembler()
    assembler.add(EVENTS[:3])
    assert assembler.answer.content == "a"


def test_every_event_is_one_json_object_that_names_its_kind() -> None:
    kinds = [json.loads(json.dumps(event_to_json(event)))["event"] for event in EVENTS]
    assert kinds == [
        "thinking", "thinking_end", "content", "tool_call_start", "tool_call_arguments", "tool_call_end",
        "content", "diagnostic", "logprobs", "finish",
    ]  # fmt: skip


def test_a_call_has_one_id_that_can_be_foretold_in_tests() -> None:
    ids = CallIds(random.Random(1))
    start, end, other = (ids.identify(event) for event in (ToolCallStart(0, "f"), ToolCallEnd(0, "f", {}), ToolCallStart(1, "g")))
    assert start.id == end.id == CallIds(random.Random(1)).identify(ToolCallStart(0, "f")).id
    assert re.fullmatch("call_[a-z0-9]{8}", start.id)
    assert other.id != start.id
    assert ids.identify(ContentDelta("x")) == ContentDelta("x")
    assert ids.identify(ToolCallStart(2, "h", "mine")).id == "mine"


def test_a_prompt_joins_neighbours_of_one_kind_and_skips_empty_text() -> None:
    prompt = PromptBuilder().control("a").control("b").user("").user("c").media("[img]", b"x").user("d").build(stop=("</s>",), suffix="d")
    assert prompt.segments == (
        Segment("ab"),
        Segment("c", SegmentKind.USER),
        Segment("[img]", SegmentKind.MEDIA, b"x"),
        Segment("d", SegmentKind.USER),
    )
    assert (prompt.stop, prompt.suffix, prompt.text) == (("</s>",), "d", "abc[img]d")
