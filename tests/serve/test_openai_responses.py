"""OpenAI's responses through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai
import pytest

from corral.errors import Unsupported
from corral.events import ContentDelta, Finish, ThinkingDelta, ToolCallArgsDelta, ToolCallEnd, ToolCallStart
from corral.testing.api import HELLO, USAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.testing.api import ScriptedEngine

TOOL = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": False}
MIXED = [
    ThinkingDelta("hm"),
    ContentDelta("Let me "),
    ContentDelta("see."),
    ToolCallStart(0, "f", "call_a"),
    ToolCallArgsDelta(0, '{"x":'),
    ToolCallArgsDelta(0, "1}"),
    ToolCallEnd(0, "f", {"x": 1}, id="call_a"),
    ContentDelta("Done."),
    Finish("stop", USAGE),
]


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=10) as client:
        yield client


def test_a_response_has_text_and_usage(client: openai.OpenAI) -> None:
    response = client.responses.create(model="test", input="hi", instructions="Be brief.")

    assert (response.status, response.output_text) == ("completed", "Hello")
    assert (response.usage.input_tokens, response.usage.input_tokens_details.cached_tokens) == (7, 3)


def test_items_keep_the_order_in_which_the_model_wrote_them(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    engine.script = MIXED

    response = client.responses.create(model="test", input="hi", tools=[TOOL])

    assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "message"]
    assert response.output[2].arguments == '{"x":1}'
    assert response.output_text == "Let me see.Done."


def test_a_stream_opens_and_closes_every_item_in_order(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    engine.script = MIXED

    events = list(client.responses.create(model="test", input="hi", tools=[TOOL], stream=True))

    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type.removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        *("output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta"),
        *("reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done"),
        *("output_item.added", "content_part.added", "output_text.delta", "output_text.delta"),
        *("output_text.done", "content_part.done", "output_item.done"),
        *("output_item.added", "function_call_arguments.delta", "function_call_arguments.delta"),
        *("function_call_arguments.done", "output_item.done"),
        *("output_item.added", "content_part.added", "output_text.delta"),
        *("output_text.done", "content_part.done", "output_item.done"),
        "completed",
    ]
    added = [event.output_index for event in events if event.type == "response.output_item.added"]
    assert added == [0, 1, 2, 3]
    assert [item.id for item in events[-1].response.output] == [
        event.item.id for event in events if event.type == "response.output_item.done"
    ]


def test_the_clients_own_accumulator_agrees(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    engine.script = MIXED

    with client.responses.stream(model="test", input="hi", tools=[TOOL]) as stream:
        final = stream.get_final_response()

    assert final.output_text == "Let me see.Done."


def test_the_next_response_remembers_the_one_before(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    engine.script = MIXED
    first = client.responses.create(model="test", input="hi", instructions="Only now.", tools=[TOOL])
    engine.script = list(HELLO)
    output = [{"type": "function_call_output", "call_id": "call_a", "output": "42"}]

    client.responses.create(model="test", input=output, previous_response_id=first.id)

    turns = engine.requests[-1].conversation.messages
    assert [(turn.role, turn.content, turn.thinking) for turn in turns] == [
        ("user", "hi", ""),
        ("assistant", "Let me see.Done.", "hm"),
        ("tool", "42", ""),
    ]
    assert turns[1].tool_calls[0].id == turns[2].tool_call_id == "call_a"


def test_a_history_of_items_becomes_turns(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    client.responses.create(
        model="test",
        input=[
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": [{"type": "input_text", "text": "add"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "so"}]},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1}'},
            {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c2", "output": "ok"},
        ],
    )

    system, user, assistant, tool = engine.requests[0].conversation.messages
    assert (system.role, user.content, assistant.thinking) == ("system", "add", "so")
    assert [(call.name, call.arguments) for call in assistant.tool_calls] == [("f", {"a": 1}), ("g", {})]
    assert (tool.tool_name, tool.content) == ("g", "ok")


def test_a_response_can_be_fetched_and_deleted(client: openai.OpenAI) -> None:
    kept = client.responses.create(model="test", input="hi")
    dropped = client.responses.create(model="test", input="hi", store=False)

    assert client.responses.retrieve(kept.id).output_text == "Hello"
    assert [item.content[0].text for item in client.responses.input_items.list(kept.id)] == ["hi"]
    client.responses.delete(kept.id)
    for gone in (kept.id, dropped.id):
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(gone)


def test_a_limit_makes_a_response_incomplete(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    engine.script = [ContentDelta("a"), Finish("length", USAGE)]

    response = client.responses.create(model="test", input="hi", max_output_tokens=1)

    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def test_a_stream_that_breaks_off_ends_as_failed(client: openai.OpenAI, engine: ScriptedEngine) -> None:
    engine.script = [ContentDelta("a"), Unsupported("it broke")]

    last = list(client.responses.create(model="test", input="hi", stream=True))[-1]

    assert (last.type, last.response.error.message) == ("response.failed", "it broke")


@pytest.mark.parametrize(
    ("extra", "text"),
    [
        ({"background": True}, "background"),
        ({"tools": [{"type": "web_search"}]}, "web_search"),
        ({"previous_response_id": "resp_gone"}, "resp_gone"),
        ({"input": [{"type": "computer_call"}]}, "computer_call"),
    ],
)
def test_what_corral_can_not_do_is_refused_by_name(client: openai.OpenAI, extra: dict[str, object], text: str) -> None:
    with pytest.raises(openai.APIStatusError, match=text) as caught:
        client.responses.create(**{"model": "test", "input": "hi", **extra})

    assert caught.value.status_code in (400, 404)
