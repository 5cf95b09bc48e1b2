"""OpenAI's dialects: what is asked of the engine, and what bad requests are told. Real clients are in tests/serve."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from corral.errors import RunnerError
from corral.events import ContentDelta, Finish, ThinkingDelta
from corral.testing.api import HELLO, USAGE, ScriptedEngine
from corral_api import heartbeat
from corral_api.openai.app import build_app

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from quart.typing import TestClientProtocol

    from corral.api import Request
    from corral.events import Event

HI = [{"role": "user", "content": "hi"}]
CHAT, TEXT, EMBED, RESPONSES = "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"
RERANK = "/v1/rerank"


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def client(engine: ScriptedEngine) -> TestClientProtocol:
    return build_app(engine).test_client()


def user(part: dict[str, object]) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": [part]}]}


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        (CHAT, {"messages": []}, "[] is too short - 'messages'"),
        (CHAT, {"messages": HI, "model": " "}, "model is required"),
        (CHAT, {"messages": [{"role": "user", "content": None}]}, "invalid message content type: <nil>"),
        (CHAT, user({"type": "input_audio"}), "'input_audio' are not supported"),
        (CHAT, user({"type": "video"}), "unknown content part type 'video'"),
        (CHAT, user({"type": "image_url"}), "has no image_url"),
        (CHAT, user({"type": "image_url", "image_url": "https://x/y.png"}), "image URLs are not currently supported"),
        (CHAT, {"messages": HI, "tool_choice": "sometimes"}, "tool_choice"),
        (CHAT, {"messages": HI, "tool_choice": {"type": "allowed_tools"}}, "tool_choice must be none, auto, required or a function"),
        (CHAT, {"messages": HI, "response_format": {"type": "yaml"}}, "unknown type 'yaml'"),
        (CHAT, {"messages": HI, "response_format": {"type": "json_schema"}}, "needs json_schema.schema"),
        (CHAT, {"messages": HI, "reasoning_effort": "lots"}, 'invalid reasoning value: "lots"'),
        (CHAT, {"messages": HI, "n": 0}, "n must be between 1 and 16, not 0"),
        (CHAT, {"messages": HI, "n": 10**9}, "n must be between 1 and 16"),
        (CHAT, {"messages": HI, "max_tokens": 0}, "must be at least 1, not 0"),
        (CHAT, {"messages": HI, "temperature": -1}, 'option "temperature" must be between 0 and 100, not -1'),
        (CHAT, {"messages": HI, "logit_bias": {"hello": 1}}, 'option "logit_bias" must have token ids as its keys'),
        (CHAT, {"messages": HI, "logprobs": True, "top_logprobs": 21}, "top_logprobs must be between 0 and 20"),
        (CHAT, {"messages": HI, "top_logprobs": 2}, "top_logprobs needs logprobs to be true"),
        (CHAT, {"messages": HI, "web_search_options": {}}, "'web_search_options' is not supported"),
        (CHAT, {"messages": HI, "functions": []}, "use tools instead"),
        (TEXT, {"prompt": [1, 2]}, "tokens are not taken"),
        (TEXT, {"prompt": []}, "tokens are not taken"),
        (TEXT, {"prompt": ["a"] * 17}, "at most 16 completions at once"),
        (TEXT, {"prompt": "a", "best_of": 2}, "ask for n completions"),
        (TEXT, {"prompt": "a", "logprobs": 21}, "logprobs must be between 0 and 20"),
        (EMBED, {"input": []}, "invalid input"),
        (EMBED, {"input": [[1]]}, "tokens are not taken"),
        (EMBED, {"input": "a", "model": ""}, "model is required"),
        (RERANK, {"query": "q", "documents": []}, "documents is required"),
        (RERANK, {"query": "q", "documents": [1]}, "documents"),
        (RERANK, {"documents": ["a"]}, "query is required"),
        (RERANK, {"query": "q", "documents": ["a"], "top_n": -1}, "top_n must be a number of documents, not -1"),
        (RERANK, {"query": "q", "documents": ["a"], "model": ""}, "model is required"),
        (EMBED, {"input": "a", "encoding_format": "int8"}, "Invalid value for 'encoding_format' = int8"),
        (RESPONSES, {"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "'input_file' is not supported"),
        (RESPONSES, {"input": [{}]}, "input[0]: input item missing required 'type' field"),
        (RESPONSES, {"input": "a", "tool_choice": {"type": "file_search"}}, "tool_choice must be none, auto, required"),
        (RESPONSES, {"input": "a", "text": {"format": {"type": "json_schema"}}}, "is unknown or lacks its schema"),
        (RESPONSES, {"input": "a", "max_output_tokens": 0}, "max_output_tokens must be at least 1"),
        (RESPONSES, {"input": "a", "conversation": "c"}, "use previous_response_id"),
        (RESPONSES, {"input": "a", "model": ""}, "model is required"),
    ],
)  # fmt: skip
async def test_a_bad_request_is_told_what_is_wrong(client: TestClientProtocol, path: str, body: dict[str, object], text: str) -> None:
    response = await client.post(path, json={"model": "test", **body})

    assert response.status_code == 400
    assert text in (await response.get_json())["error"]["message"]


async def test_the_parts_of_a_turn_stay_one_turn(client: TestClientProtocol, engine: ScriptedEngine) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    parts = [{"type": "text", "text": "a"}, image, {"type": "text", "text": "b"}]
    refusal = {"role": "assistant", "refusal": "no", "content": None}
    turns = [{"role": "developer", "content": "be kind"}, {"role": "user", "content": parts}, refusal]

    await client.post(CHAT, json={"model": "test", "messages": turns})

    system, user, assistant = engine.requests[0].conversation.messages
    assert (system.role, user.content, user.images, assistant.content) == ("system", "a\nb", (b"\0\0\0",), "no")


async def test_a_tools_answer_is_named_after_the_call_it_answers(client: TestClientProtocol, engine: ScriptedEngine) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    turns = [
        {"role": "assistant", "reasoning_content": "so", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
    ]

    await client.post(CHAT, json={"model": "test", "messages": turns})

    assistant, tool = engine.requests[0].conversation.messages
    assert (assistant.thinking, assistant.tool_calls[0].arguments) == ("so", {"a": 1})
    assert (tool.role, tool.tool_name, tool.tool_call_id) == ("tool", "f", "c1")


@pytest.mark.parametrize(
    ("wanted", "given"),
    [({"type": "text"}, None), ({"type": "json_object"}, "json"), ({"type": "json_schema", "json_schema": {"schema": {"a": 1}}}, {"a": 1})],
)
async def test_a_format_reaches_the_engine(
    client: TestClientProtocol, engine: ScriptedEngine, wanted: dict[str, object], given: object
) -> None:
    await client.post(CHAT, json={"model": "test", "messages": HI, "response_format": wanted})

    assert engine.requests[0].conversation.format == given


async def test_a_prompt_that_does_not_fit_is_cut_only_when_asked(client: TestClientProtocol, engine: ScriptedEngine) -> None:
    for extra in ({}, {"truncate": True}):
        await client.post(CHAT, json={"model": "test", "messages": HI, **extra})
    for truncation in ("disabled", "auto"):
        await client.post(RESPONSES, json={"model": "test", "input": "hi", "truncation": truncation})

    assert [(request.truncate, request.shift) for request in engine.requests] == [(False, False), (True, True)] * 2


@pytest.mark.parametrize("value", ["x", "1.5", ""])
async def test_a_context_that_is_no_number_is_refused(client: TestClientProtocol, value: str) -> None:
    response = await client.post(CHAT, json={"model": "test", "messages": HI}, headers={"x-corral-num-ctx": value})

    assert response.status_code == 400


async def test_the_oldest_responses_are_forgotten(client: TestClientProtocol, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corral_api.openai.responses.store._MOST_RESPONSES", 2)
    ids = [(await (await client.post(RESPONSES, json={"model": "test", "input": "hi"})).get_json())["id"] for _ in range(3)]

    statuses = [(await client.get(f"{RESPONSES}/{response_id}")).status_code for response_id in ids]

    assert statuses == [404, 200, 200]


async def test_remembered_text_is_bounded_too(client: TestClientProtocol, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corral_api.openai.responses.store._MOST_BYTES", 10)
    ids = [(await (await client.post(RESPONSES, json={"model": "test", "input": "x" * 20})).get_json())["id"] for _ in range(2)]

    assert [(await client.get(f"{RESPONSES}/{response_id}")).status_code for response_id in ids] == [404, 200]


@pytest.mark.parametrize("as_stream", [False, True])
async def test_every_prompt_is_paid_for_once_however_many_choices_it_has(client: TestClientProtocol, as_stream: bool) -> None:
    body = {"model": "test", "prompt": ["a", "b"], "n": 2, "stream": as_stream, "stream_options": {"include_usage": True}}
    response = await client.post(TEXT, json=body)

    text = (await response.get_data()).decode()
    usage = json.loads(text.split("data: ")[-2] if as_stream else text)["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (14, 8, 22)


@pytest.mark.parametrize("as_stream", [False, True])
async def test_thinking_is_told_apart_in_what_an_answer_cost(engine: ScriptedEngine, as_stream: bool) -> None:
    engine.script = [ThinkingDelta("hm"), Finish("stop", replace(USAGE, thinking_tokens=2))]
    client = build_app(engine).test_client()
    body = {"model": "test", "stream": as_stream, "stream_options": {"include_usage": True}}

    chat = await (await client.post(CHAT, json={**body, "messages": HI, "n": 2})).get_data()
    response = await (await client.post(RESPONSES, json={"model": "test", "input": "hi"})).get_json()

    chat_usage = (chunks_of(chat)[-1] if as_stream else json.loads(chat))["usage"]
    assert chat_usage["completion_tokens_details"] == {"reasoning_tokens": 4}
    assert response["usage"]["output_tokens_details"] == {"reasoning_tokens": 2}


def chunks_of(data: bytes) -> list[dict[str, object]]:
    """Return what the events of a stream say, without the [DONE]."""
    lines = data.decode().split("\n\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]


@pytest.mark.parametrize(("path", "asked"), [(CHAT, {"messages": HI}), (TEXT, {"prompt": "hi"})])
@pytest.mark.parametrize("as_stream", [False, True])
async def test_all_choices_are_answered_at_the_same_time(engine: ScriptedEngine, path: str, asked: object, as_stream: bool) -> None:
    together = asyncio.Barrier(3)
    engine.script = [ContentDelta("a"), together, ContentDelta("b"), Finish("stop", USAGE)]  # type: ignore[list-item]
    body = {"model": "test", "n": 3, "stream": as_stream, "stream_options": {"include_usage": True}, **asked}  # type: ignore[dict-item]

    data = await (await build_app(engine).test_client().post(path, json=body)).get_data()

    *chunks, last = chunks_of(data) if as_stream else [json.loads(data), json.loads(data)]
    texts: dict[int, str] = {0: "", 1: "", 2: ""}
    for choice in (choice for chunk in chunks for choice in chunk["choices"]):
        said = choice.get("delta") or choice.get("message") or choice
        texts[choice["index"]] += said.get("content") or said.get("text") or ""
    assert texts == {0: "ab", 1: "ab", 2: "ab"}
    assert [chunk.get("usage") for chunk in chunks if as_stream] == [None] * (len(chunks) if as_stream else 0)
    assert (last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"]) == (7, 6)
    assert data.endswith(b"data: [DONE]\n\n") == as_stream


class OneFails(ScriptedEngine):
    """An engine whose second answer breaks off, while the others would go on for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = 0

    async def answer(self, request: Request) -> AsyncGenerator[Event, None]:
        self.requests.append(request)
        is_second = len(self.requests) == 2
        try:
            yield ContentDelta("a")
            if is_second:
                raise RunnerError("out of breath")
            await asyncio.Event().wait()
        finally:
            self.closed += 1


@pytest.mark.parametrize(("path", "asked"), [(CHAT, {"messages": HI}), (TEXT, {"prompt": "hi"})])
async def test_a_choice_that_fails_ends_all_of_them(path: str, asked: dict[str, object]) -> None:
    engine = OneFails()

    response = await build_app(engine).test_client().post(path, json={"model": "test", "n": 3, "stream": True, **asked})
    data = await response.get_data()

    assert chunks_of(data)[-1]["error"] == {"message": "out of breath", "type": "api_error", "param": None, "code": None}
    assert b"[DONE]" not in data
    assert (len(engine.requests), engine.closed) == (3, 3)


async def test_a_client_that_leaves_ends_all_choices() -> None:
    engine = OneFails()
    engine.requests = [None, None]  # type: ignore[list-item]
    body = json.dumps({"model": "test", "messages": HI, "n": 3, "stream": True}).encode()

    async with build_app(engine).test_client().request(CHAT, method="POST") as connection:
        await connection.send(body)
        await connection.send_complete()
        while len(engine.requests) < 5:
            await connection.receive()
        await connection.disconnect()

    assert engine.closed == 3


@pytest.mark.parametrize(
    ("path", "asked"), [(CHAT, {"messages": HI}), (CHAT, {"messages": HI, "n": 2}), (TEXT, {"prompt": "hi"}), (RESPONSES, {"input": "hi"})]
)
@pytest.mark.parametrize("failure", [None, RunnerError("out of breath")])
async def test_a_stream_shows_that_it_is_alive_before_its_first_token(
    engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch, path: str, asked: dict[str, object], failure: RunnerError | None
) -> None:
    monkeypatch.setattr(heartbeat, "PING_S", 0.001)
    gate = asyncio.Event()
    engine.script = [gate, *([failure] if failure else HELLO)]
    body = json.dumps({"model": "test", "stream": True, **asked}).encode()
    data, ending = b"", b"out of breath" if failure else b"Hel"

    async with build_app(engine).test_client().request(path, method="POST") as connection:
        await connection.send(body)
        await connection.send_complete()
        while data.count(b": ping\n\n") < 3:
            data += await connection.receive()
        gate.set()
        while ending not in data:
            data += await connection.receive()
        await connection.disconnect()

    assert connection.status_code == 200
    assert data.rindex(b": ping") < data.index(ending)


async def test_documents_come_back_with_the_best_first(client: TestClientProtocol, engine: ScriptedEngine) -> None:
    body = {"model": "test", "query": "q", "documents": ["a", {"text": "b"}, "c"], "top_n": 2, "return_documents": True}
    answer = await (await client.post(RERANK, json={**body, "options": {"num_ctx": 64}, "user": "me"})).get_json()

    assert answer["results"] == [
        {"index": 2, "relevance_score": 1 / 2, "document": {"text": "c"}},
        {"index": 1, "relevance_score": 1 / 3, "document": {"text": "b"}},
    ]
    assert (answer["model"], answer["usage"]) == ("test", {"prompt_tokens": 5, "total_tokens": 5})
    assert [(asked.documents, asked.options) for asked in engine.reranks] == [(("a", "b", "c"), {"num_ctx": 64})]


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank"])
async def test_ranking_says_what_it_did_not_do(client: TestClientProtocol, path: str) -> None:
    answer = await client.post(path, json={"model": "test", "query": "q", "documents": ["a"], "max_tokens_per_doc": 9})

    assert answer.headers["x-corral-ignored"] == "max_tokens_per_doc"
    assert (await answer.get_json())["results"] == [{"index": 0, "relevance_score": 1 / 2}]
