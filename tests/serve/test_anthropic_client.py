"""The official Anthropic client against a real socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anthropic
import pytest

from corral.errors import Busy, Unsupported
from corral.events import (
    ContentDelta,
    Finish,
    ThinkingDelta,
    ThinkingEnd,
    ToolCallArgsDelta,
    ToolCallEnd,
    ToolCallStart,
)
from corral.spec import ParserSupport
from corral.testing.api import USAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.testing.api import ScriptedEngine

HI = [{"role": "user", "content": "hi there"}]
TOOL = {"name": "f", "description": "d", "input_schema": {"type": "object", "properties": {}}}
MIXED = [
    ThinkingDelta("hm"),
    ThinkingEnd(),
    ContentDelta("Let me "),
    ContentDelta("see."),
    ToolCallStart(0, "f", "call_a"),
    ToolCallArgsDelta(0, '{"x":'),
    ToolCallArgsDelta(0, "1}"),
    ToolCallEnd(0, "f", {"x": 1}, id="call_a"),
    ToolCallEnd(1, "f", {}, id="call_b"),
    Finish("stop", USAGE),
]


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=url, api_key="none", max_retries=0, timeout=10) as client:
        yield client


def test_a_message_has_text_a_reason_and_usage(client: anthropic.Anthropic) -> None:
    message = client.messages.create(model="test", max_tokens=10, messages=HI)

    assert (message.content[0].text, message.stop_reason) == ("Hello", "end_turn")
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens) == (4, 3, 2)


def test_blocks_keep_the_order_in_which_the_model_wrote_them(client: anthropic.Anthropic, engine: ScriptedEngine) -> None:
    engine.script = MIXED

    message = client.messages.create(model="test", max_tokens=10, messages=HI, tools=[TOOL])

    assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert (message.content[2].id, message.content[2].input, message.stop_reason) == ("call_a", {"x": 1}, "tool_use")


def test_a_stream_adds_up_to_the_same_message(client: anthropic.Anthropic, engine: ScriptedEngine) -> None:
    engine.script = MIXED

    with client.messages.stream(model="test", max_tokens=10, messages=HI, tools=[TOOL]) as stream:
        streamed = stream.get_final_message()
    whole = client.messages.create(model="test", max_tokens=10, messages=HI, tools=[TOOL])

    assert [block.to_dict() for block in streamed.content] == [block.to_dict() for block in whole.content]
    assert (streamed.stop_reason, streamed.usage.output_tokens) == ("tool_use", 2)


def test_a_stream_begins_with_the_real_count_and_a_ping(client: anthropic.Anthropic) -> None:
    events = list(client.messages.create(model="test", max_tokens=10, messages=HI, stream=True))

    assert events[0].message.usage.input_tokens == 2
    assert events[-1].type == "message_stop"


def test_everything_of_a_conversation_reaches_the_engine(client: anthropic.Anthropic, engine: ScriptedEngine) -> None:
    engine.library.support = ParserSupport(tools=True, thinking="optional")
    client.messages.create(
        model="test",
        max_tokens=10,
        system=[{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        messages=[
            {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "so", "signature": ""},
                {"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1}},
            ]},
            {"role": "user", "content": [
                {"type": "text", "text": "and now?"},
                {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "42"}]},
            ]},
        ],
        tools=[TOOL],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 1024},
        stop_sequences=["END"],
        extra_body={"top_k": 5},
    )  # fmt: skip

    conversation = engine.requests[-1].conversation
    assert [message.role for message in conversation.messages] == ["system", "user", "assistant", "tool", "user"]
    assert conversation.messages[1].images == (b"\x89PN",)
    assert (conversation.messages[2].thinking, conversation.messages[2].tool_calls[0].arguments) == ("so", {"x": 1})
    assert (conversation.messages[3].tool_name, conversation.messages[3].content) == ("f", "42")
    assert conversation.tools[0]["function"] == {"name": "f", "description": "d", "parameters": TOOL["input_schema"]}
    assert (conversation.tool_choice, conversation.parallel_tool_calls, conversation.think) == ("required", False, True)
    assert conversation.options == {"num_predict": 10, "top_k": 5, "stop": ["END"]}


def test_thinking_is_left_out_and_reported_for_a_model_that_can_not(client: anthropic.Anthropic, engine: ScriptedEngine) -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}

    raw = client.messages.with_raw_response.create(model="test", max_tokens=10, messages=HI, thinking=thinking)

    assert raw.headers["x-corral-ignored"] == "thinking.budget_tokens, thinking"
    assert engine.requests[-1].conversation.think is None


@pytest.mark.parametrize(
    ("finish", "reason", "sequence"),
    [
        (Finish("length", USAGE), "max_tokens", None),
        (Finish("stop", USAGE, stop="END"), "stop_sequence", "END"),
        (Finish("stop", USAGE, stop="<|im_end|>"), "end_turn", None),
    ],
)
def test_the_reason_of_the_end_is_the_true_one(
    client: anthropic.Anthropic, engine: ScriptedEngine, finish: Finish, reason: str, sequence: str | None
) -> None:
    engine.script = [ContentDelta("a"), finish]

    message = client.messages.create(model="test", max_tokens=10, messages=HI, stop_sequences=["END"])

    assert (message.stop_reason, message.stop_sequence) == (reason, sequence)


def test_tokens_are_counted_by_the_models_own_tokenizer(client: anthropic.Anthropic) -> None:
    assert client.messages.count_tokens(model="test", messages=HI).input_tokens == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [(Unsupported("no"), anthropic.BadRequestError), (Busy("later"), anthropic.InternalServerError)],
)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_are_raised_as_the_right_type(
    client: anthropic.Anthropic, engine: ScriptedEngine, error: Exception, kind: type[anthropic.APIStatusError], stream: bool
) -> None:
    engine.script = [error]

    with pytest.raises(kind) as caught:
        client.messages.create(model="test", max_tokens=10, messages=HI, stream=stream)

    assert caught.value.body["type"] == "error"
    assert caught.value.body["request_id"] == caught.value.response.headers["x-request-id"]


def test_an_unknown_model_is_not_found(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(model="nope", max_tokens=10, messages=HI)


def test_an_error_in_the_middle_of_a_stream_is_raised(client: anthropic.Anthropic, engine: ScriptedEngine) -> None:
    engine.script = [ContentDelta("a"), Unsupported("it broke")]

    with pytest.raises(anthropic.APIStatusError, match="it broke"):
        list(client.messages.create(model="test", max_tokens=10, messages=HI, stream=True))


@pytest.mark.parametrize(
    ("extra", "text"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "web_search_20250305"),
        ({"messages": [{"role": "user", "content": [{"type": "document"}]}]}, "document"),
        ({"messages": []}, "messages is required"),
        ({"max_tokens": 0}, "max_tokens is required and must be positive"),
        ({"extra_body": {"mcp_servers": []}}, "mcp_servers"),
    ],
)
def test_what_corral_can_not_do_is_refused_by_name(client: anthropic.Anthropic, extra: dict[str, object], text: str) -> None:
    with pytest.raises(anthropic.BadRequestError, match=text):
        client.messages.create(**{"model": "test", "max_tokens": 10, "messages": HI, **extra})


def test_models_are_listed_in_anthropics_form_too(client: anthropic.Anthropic) -> None:
    assert [(model.id, model.type) for model in client.models.list()] == [("test:latest", "model")]
    assert client.models.retrieve("test").display_name == "test"
