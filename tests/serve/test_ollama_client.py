"""The official Ollama client against a real socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import ollama
import pytest

from corral.errors import Busy, Unsupported
from corral.events import ContentDelta, Finish, Logprobs, ThinkingDelta, TokenLogprob, ToolCallEnd
from corral.fetching import Progress
from corral.testing.api import HELLO, USAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from corral.testing.api import ScriptedEngine

HI = [{"role": "user", "content": "hi"}]


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[ollama.Client]:
    with ollama.Client(host=url, timeout=10) as client:
        yield client


def test_chat_returns_the_whole_answer_with_its_figures(client: ollama.Client) -> None:
    answer = client.chat("test", HI)

    assert answer.message.content == "Hello"
    assert (answer.done, answer.done_reason, answer.prompt_eval_count, answer.eval_count) == (True, "stop", 7, 2)
    assert answer.total_duration == 10_000_000


def test_chat_streams_pieces_and_ends_with_done(client: ollama.Client) -> None:
    chunks = list(client.chat("test", HI, stream=True))

    assert [chunk.message.content for chunk in chunks] == ["Hel", "lo", ""]
    assert [chunk.done for chunk in chunks] == [False, False, True]


def test_generate_returns_text_thinking_and_probabilities(client: ollama.Client, engine: ScriptedEngine) -> None:
    token = TokenLogprob("ok", -0.5, top=(TokenLogprob("no", -1.0),))
    engine.script = [ThinkingDelta("hm"), ContentDelta("ok"), Logprobs((token,)), Finish("length", USAGE)]

    answer = client.generate("test", "x", think=True, logprobs=True, top_logprobs=1)

    assert (answer.response, answer.thinking, answer.done_reason) == ("ok", "hm", "length")
    assert answer.logprobs[0].token == "ok"
    assert answer.logprobs[0].top_logprobs[0].token == "no"


def test_a_tool_call_arrives_whole_with_its_arguments(client: ollama.Client, engine: ScriptedEngine) -> None:
    def add(a: int, b: int) -> int:
        """Add.

        Args:
            a: one
            b: two
        """
        return a + b

    engine.script = [ToolCallEnd(0, "add", {"a": 1, "b": 2}, id="call_1"), Finish("stop", USAGE)]

    answer = client.chat("test", HI, tools=[add])

    assert answer.message.tool_calls[0].function.name == "add"
    assert answer.message.tool_calls[0].function.arguments == {"a": 1, "b": 2}
    assert engine.requests[0].conversation.tools[0]["function"]["name"] == "add"


def test_a_schema_reaches_the_engine_as_it_is(client: ollama.Client, engine: ScriptedEngine) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "additionalProperties": False}

    client.chat("test", HI, format=schema)

    assert engine.requests[0].conversation.format == schema


def test_images_reach_the_engine_as_bytes(client: ollama.Client, engine: ScriptedEngine) -> None:
    client.chat("test", [{"role": "user", "content": "?", "images": [b"\x89PNG"]}])

    assert engine.requests[0].conversation.messages[0].images == (b"\x89PNG",)


def test_embed_returns_normalised_vectors(client: ollama.Client) -> None:
    assert client.embed("test", ["a", "b"], dimensions=2).embeddings == [[0.6, 0.8], [0.6, 0.8]]
    assert client.embeddings("test", "a").embedding == [0.6, 0.8, 0.0, 0.0]


def test_models_are_listed_shown_copied_and_deleted(client: ollama.Client, engine: ScriptedEngine) -> None:
    assert client.copy("test", "other:latest").status == "success"
    assert sorted(model.model for model in client.list().models) == ["other:latest", "test:latest"]
    shown = client.show("test")
    assert shown.modelinfo == {"general.architecture": "llama", "tokenizer.ggml.tokens": None}
    assert shown.parameters.splitlines()[:2] == [f'{"stop":<30} "<a>"', f'{"stop":<30} "<b>"']
    assert client.ps().models[0].context_length == 4096
    assert client.delete("other:latest").status == "success"
    assert list(engine.library.installed) == ["test:latest"]


def test_pull_and_create_tell_their_steps(client: ollama.Client, engine: ScriptedEngine) -> None:
    digest = "sha256:" + "a" * 64
    engine.library.steps = [Progress("pulling aaaaaaaaaaaa", digest, 10, 5), Progress("success")]

    steps = list(client.pull("pypi:thing", stream=True))
    client.create("mine", from_="test", system="Be brief.", parameters={"stop": ["x"]}, stream=False)

    assert [(step.status, step.total, step.completed) for step in steps] == [("pulling aaaaaaaaaaaa", 10, 5), ("success", None, None)]
    assert (engine.library.created[0].base, engine.library.created[0].system) == ("test", "Be brief.")


def test_a_blob_is_uploaded_once_and_under_its_digest(client: ollama.Client, engine: ScriptedEngine, tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF" * 100_000)

    digest = client.create_blob(file)

    assert engine.library.blobs[digest] == file.read_bytes()


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (Unsupported('"test" does not support thinking'), 400, "does not support thinking"),
        (Busy("server busy, please try again.  maximum pending requests exceeded"), 503, "server busy"),
        (RuntimeError("secret path"), 500, "internal error"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_before_the_first_byte_has_its_status(
    client: ollama.Client, engine: ScriptedEngine, error: Exception, status: int, text: str, stream: bool
) -> None:
    engine.script = [error]

    with pytest.raises(ollama.ResponseError, match=text) as caught:
        list(client.chat("test", HI, stream=stream))

    assert caught.value.status_code == status
    assert "secret" not in str(caught.value)


def test_an_error_in_the_middle_of_a_stream_is_raised(client: ollama.Client, engine: ScriptedEngine) -> None:
    engine.script = [ContentDelta("a"), Unsupported("it broke")]

    with pytest.raises(ollama.ResponseError, match="it broke"):
        list(client.chat("test", HI, stream=True))


def test_an_unknown_model_is_a_404(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="model 'nope' not found") as caught:
        client.chat("nope", HI)

    assert caught.value.status_code == 404


async def test_the_async_client_streams(url: str) -> None:
    client = ollama.AsyncClient(host=url)

    pieces = [chunk.message.content async for chunk in await client.chat("test", HI, stream=True)]
    await client.close()

    assert pieces == ["Hel", "lo", ""]


async def test_leaving_a_stream_ends_the_answer(url: str, engine: ScriptedEngine) -> None:
    """F57: a client that goes away gives its slot back."""
    never = asyncio.Event()
    engine.script = [HELLO[0], never]
    client = ollama.AsyncClient(host=url)
    stream = await client.chat("test", HI, stream=True)

    assert (await anext(stream)).message.content == "Hel"
    await stream.aclose()
    await client.close()

    assert await asyncio.to_thread(engine.ended.wait, 5)
