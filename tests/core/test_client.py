"""The client of a running server: what it sends, what it understands, and how failures read."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import httpx2
import pytest

from corral.api import CreateRequest, Request
from corral.client import Client, Connection, ShownChoice, is_listening
from corral.conversation import Conversation, Message, ToolCall
from corral.errors import Busy, CorralError, InvalidInput, NotFound, Refused
from corral.events import ContentDelta, Diagnostic, Finish, ThinkingDelta, ThinkingEnd, ToolCallEnd, Usage
from corral.fetching import Progress

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = Request(model="m", conversation=Conversation(messages=(Message(role="user", content="hi"),)))


class Server:
    """Answers every request with the same response, and keeps what was asked."""

    def __init__(self, status: int = 200, body: object = None, *, lines: list[object] | None = None) -> None:
        content = json.dumps(body) if lines is None else "\n".join(json.dumps(line) for line in lines)
        self.response = httpx2.Response(status, content=content.encode())
        self.asked: list[tuple[str, str, object]] = []

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        content = await request.aread()
        try:
            body = json.loads(content) if content else None
        except ValueError:
            body = content
        self.asked.append((request.method, request.url.path, body))
        return self.response

    @property
    def client(self) -> Client:
        return Client(Connection("http://server:1", transport=httpx2.MockTransport(self)))


async def events_of(server: Server, request: Request = REQUEST) -> list[object]:
    async with server.client as client:
        return [event async for event in client.answer(request)]


async def test_a_server_of_corral_gives_its_version_and_an_ollama_gives_none() -> None:
    async with Server(body={"version": "0.13.0", "corral": "0.1.0"}).client as client:
        assert await client.version() == "0.1.0"
    async with Server(body={"version": "0.13.0"}).client as client:
        assert await client.version() == ""


async def test_installed_and_loaded_models_are_read() -> None:
    details = {"family": "llama", "families": None, "parameter_size": "135M", "quantization_level": "Q4_1", "format": "gguf"}
    model = {"name": "m:latest", "model": "m:latest", "size": 9, "digest": "ab", "details": details}
    tags = Server(body={"models": [{**model, "modified_at": "2026-01-02T03:04:05.6+01:00", "capabilities": ["completion"]}]})
    loaded = Server(body={"models": [{**model, "expires_at": "2318-01-01T00:00:00Z", "size_vram": 4, "context_length": 4096}]})

    async with tags.client as client:
        [summary] = await client.summaries()
    async with loaded.client as client:
        [running] = await client.running()

    assert (summary.name, summary.size, summary.family, summary.file_type) == ("m:latest", 9, "llama", "Q4_1")
    assert summary.modified_at.isoformat() == "2026-01-02T03:04:05.600000+01:00"
    assert (running.device_bytes, running.context_tokens, running.expires_at.year) == (4, 4096, 2318)


async def test_a_shown_model_says_which_plugins_serve_it() -> None:
    choice = {"name": "qwen3-coder", "origin": "detected", "reason": "<function=", "provider": "corral 0.1.0"}
    server = Server(
        body={
            "details": {"family": "qwen2"},
            "model_info": {"general.architecture": "qwen2", "qwen2.context_length": 32768},
            "capabilities": ["completion", "tools"],
            "corral": {"renderer": choice},
            "tensors": [{"name": "output", "type": "F16", "shape": [2, 3]}],
        }
    )

    async with server.client as client:
        shown = await client.show("m", verbose=True)

    assert server.asked == [("POST", "/api/show", {"model": "m", "verbose": True})]
    assert shown.choices["renderer"] == ShownChoice(name="qwen3-coder", origin="detected", reason="<function=", provider="corral 0.1.0")
    assert shown.fact("context_length") == 32768
    assert shown.tensors == (("output", "F16", (2, 3)),)


async def test_an_answer_becomes_the_events_that_a_parser_gave() -> None:
    call = {"id": "call_1", "function": {"index": 0, "name": "add", "arguments": {"a": 1}}}
    figures = {
        "total_duration": 4_000_000_000,
        "load_duration": 1_000_000_000,
        "prompt_eval_count": 7,
        "prompt_eval_duration": 500_000_000,
        "eval_count": 3,
        "eval_duration": 2_000_000_000,
    }
    server = Server(
        lines=[
            {"message": {"role": "assistant", "content": "", "thinking": "hm"}, "done": False},
            {"message": {"role": "assistant", "content": "Hel"}, "done": False},
            {"message": {"role": "assistant", "content": "lo", "tool_calls": [call]}, "done": False},
            {
                "message": {"role": "assistant", "content": ""},
                "done": True,
                "done_reason": "length",
                "corral": {"notices": [{"code": "cut", "message": "cut short"}]},
                **figures,
            },
        ]
    )

    events = await events_of(server)

    usage = Usage(prompt_tokens=7, completion_tokens=3, prompt_s=0.5, completion_s=2.0, load_s=1.0, total_s=4.0)
    assert events == [
        ThinkingDelta("hm"),
        ThinkingEnd(),
        ContentDelta("Hel"),
        ContentDelta("lo"),
        ToolCallEnd(0, "add", {"a": 1}, id="call_1"),
        Diagnostic("cut", "cut short"),
        Finish("length", usage),
    ]


async def test_a_request_is_sent_in_ollamas_shape() -> None:
    messages = (
        Message(role="user", content="look", images=(b"\x00\x01",)),
        Message(role="assistant", tool_calls=(ToolCall(name="f", arguments={"x": 1}, id="c1"),)),
        Message(role="tool", content="2", tool_name="f", tool_call_id="c1"),
    )
    conversation = Conversation(messages=messages, tools=({"type": "function"},), think="low", format="json", options={"seed": 1})
    server = Server(lines=[{"done": True}])

    await events_of(server, Request(model="m", conversation=conversation, keep_alive_s=math.inf, truncate=False))

    [(method, path, body)] = server.asked
    assert (method, path) == ("POST", "/api/chat")
    assert body == {
        "model": "m",
        "messages": [
            {"role": "user", "content": "look", "images": ["AAE="]},
            {"role": "assistant", "content": "", "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": {"x": 1}}}]},
            {"role": "tool", "content": "2", "tool_name": "f", "tool_call_id": "c1"},
        ],
        "tools": [{"type": "function"}],
        "think": "low",
        "format": "json",
        "options": {"seed": 1},
        "keep_alive": -1,
        "stream": True,
        "truncate": False,
        "shift": True,
    }


async def test_a_verbatim_prompt_goes_to_generate() -> None:
    server = Server(lines=[{"response": "pong", "done": False}, {"response": "", "done": True, "done_reason": "stop"}])

    events = await events_of(server, Request(model="m", conversation=Conversation(messages=()), raw="ping"))

    assert server.asked[0][1:] == (
        "/api/generate",
        {"model": "m", "prompt": "ping", "raw": True, "stream": True, "truncate": True, "shift": True},
    )
    assert events == [ContentDelta("pong"), Finish("stop", Usage())]


async def test_an_error_in_the_middle_of_an_answer_is_raised() -> None:
    """F45."""
    server = Server(lines=[{"message": {"content": "Hel"}}, {"error": "the runner died"}])

    with pytest.raises(CorralError, match=r"^the runner died$"):
        await events_of(server)


async def test_an_answer_that_just_ends_is_an_error() -> None:
    """F45, F46."""
    with pytest.raises(CorralError, match="ended the answer in the middle"):
        await events_of(Server(lines=[{"message": {"content": "Hel"}}]))


async def test_progress_is_told_step_by_step() -> None:
    server = Server(lines=[{"status": "pulling manifest"}, {"status": "pulling ab", "digest": "sha256:ab", "total": 9, "completed": 4}])

    async with server.client as client:
        steps = [step async for step in client.pull("smollm2")]

    assert steps == [Progress("pulling manifest"), Progress("pulling ab", "sha256:ab", 9, 4)]


async def test_what_is_empty_is_inherited_and_what_is_an_empty_text_is_not() -> None:
    server = Server(lines=[{"status": "success"}])

    async with server.client as client:
        request = CreateRequest(model="m", base="b", system="", parameters={"seed": 1}, files={"a.gguf": "sha256:ab"})
        _ = [step async for step in client.create(request)]

    assert server.asked[0][2] == {
        "model": "m",
        "system": "",
        "from": "b",
        "files": {"a.gguf": "sha256:ab"},
        "parameters": {"seed": 1},
        "stream": True,
    }


async def test_a_failed_pull_is_raised() -> None:
    async with Server(lines=[{"status": "pulling manifest"}, {"error": "no such model"}]).client as client:
        with pytest.raises(CorralError, match="no such model"):
            _ = [step async for step in client.pull("x")]


async def test_models_are_copied_deleted_loaded_and_unloaded() -> None:
    server = Server()

    async with server.client as client:
        await client.copy("a", "b")
        await client.delete("b")
        await client.load("a", 60.0)
        await client.unload("a")

    assert server.asked == [
        ("POST", "/api/copy", {"source": "a", "destination": "b"}),
        ("DELETE", "/api/delete", {"model": "b"}),
        ("POST", "/api/generate", {"model": "a", "stream": False, "keep_alive": 60.0}),
        ("POST", "/api/generate", {"model": "a", "stream": False, "keep_alive": 0}),
    ]


async def test_a_blob_is_looked_for_and_sent_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"\x80" * (1024 * 1024 + 1))
    server = Server()

    async with server.client as client:
        assert await client.has_blob("sha256:ab")
        await client.add_blob("sha256:ab", tmp_path / "blob")

    assert server.asked[0][:2] == ("HEAD", "/api/blobs/sha256:ab")
    assert server.asked[1] == ("POST", "/api/blobs/sha256:ab", b"\x80" * (1024 * 1024 + 1))


async def test_a_vector_is_returned() -> None:
    async with Server(body={"model": "m", "embeddings": [[0.6, 0.8]]}).client as client:
        assert await client.embed("m", "text") == [0.6, 0.8]


@pytest.mark.parametrize(
    ("status", "kind"), [(400, InvalidInput), (403, Refused), (404, NotFound), (503, Busy), (500, CorralError), (418, CorralError)]
)
async def test_a_status_becomes_an_error_of_its_kind_with_the_servers_words(status: int, kind: type[CorralError]) -> None:
    async with Server(status, {"error": "because"}).client as client:
        with pytest.raises(kind, match=r"^because$"):
            await client.summaries()


async def test_a_failure_without_words_still_says_where() -> None:
    async with Server(502).client as client:
        with pytest.raises(CorralError, match=r"the server at http://server:1 answered with HTTP status 502"):
            await client.summaries()


async def test_an_answer_of_the_wrong_shape_is_named() -> None:
    """F36."""
    async with Server(body={"models": 3}).client as client:
        with pytest.raises(CorralError, match="sent something unexpected"):
            await client.summaries()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (httpx2.ConnectError("refused"), r"no server answers at http://server:1 \(start one with: corral serve\)"),
        (httpx2.ReadError("reset by peer"), "lost the server at http://server:1: reset by peer"),
    ],
)
async def test_a_lost_server_is_named(error: Exception, message: str) -> None:
    def fail(_: httpx2.Request) -> httpx2.Response:
        raise error

    async with Client(Connection("http://server:1", transport=httpx2.MockTransport(fail))) as client:
        with pytest.raises(CorralError, match=message):
            await client.summaries()
        with pytest.raises(CorralError, match=message):
            _ = [event async for event in client.answer(REQUEST)]


def test_a_port_nobody_listens_on_is_seen_at_once() -> None:
    assert not is_listening("http://127.0.0.1:1")
    assert not is_listening("http://0.0.0.0:1")
