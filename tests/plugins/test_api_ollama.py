"""Ollama's native API: what is asked of the engine, and what bad requests are told."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from corral.errors import InvalidInput
from corral.events import ContentDelta, Finish
from corral.fetching import Progress
from corral.testing.api import USAGE, ScriptedEngine
from corral_api.keep_alive import keep_alive_s
from corral_api.ollama.app import build_app

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from corral.api import Request

HI = [{"role": "user", "content": "hi"}]
ILL_CALL = {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "[1]"}}]}


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def client(engine: ScriptedEngine) -> TestClientProtocol:
    return build_app(engine).test_client()


async def asked(client: TestClientProtocol, engine: ScriptedEngine, path: str, body: dict[str, object]) -> Request:
    response = await client.post(path, json={"model": "test", **body})
    assert response.status_code == 200, await response.get_data()
    return engine.requests[-1]


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("/api/chat", {"model": "", "messages": HI}, 400, "model is required"),
        ("/api/chat", {"model": "nope", "messages": HI}, 404, "model 'nope' not found"),
        ("/api/chat", {"messages": 5}, 400, "messages: expected `array`, got `int`"),
        ("/api/chat", {"messages": [{"content": "x"}]}, 400, "messages[0]: object missing required field `role`"),
        ("/api/chat", {"messages": [{"role": "user", "content": [{"type": "text"}]}]}, 400, "messages[0].content: expected `str`"),
        ("/api/chat", {"messages": HI, "think": "none"}, 400, 'invalid think value: "none" (must be "high"'),
        ("/api/chat", {"messages": HI, "think": 1}, 400, "think must be a boolean or string"),
        ("/api/chat", {"messages": HI, "format": "xml"}, 400, 'invalid format: "xml"; expected "json" or a valid JSON Schema object'),
        ("/api/chat", {"messages": HI, "top_logprobs": 21}, 400, "top_logprobs must be between 0 and 20"),
        ("/api/chat", {"messages": HI, "options": {"num_ctx": "x"}}, 400, 'option "num_ctx" must be of type integer'),
        ("/api/chat", {"messages": HI, "keep_alive": True}, 400, "Unsupported type: 'bool'"),
        ("/api/chat", {"messages": HI, "keep_alive": "soon"}, 400, "keep_alive: 'soon' is not a duration"),
        ("/api/chat", {"messages": [{"role": "user", "images": ["data:image/png;base64,AA=="]}]}, 400, "not standard base64"),
        ("/api/chat", {"messages": [ILL_CALL]}, 400, "invalid tool call"),
        ("/api/generate", {"prompt": "x", "raw": True, "system": "y"}, 400, "raw mode does not support template, system, or context"),
        ("/api/generate", {"prompt": "x", "raw": True, "suffix": "y"}, 400, "raw mode does not support suffix or images"),
        ("/api/embed", {"input": [1]}, 400, "invalid input type"),
        ("/api/embeddings", {"model": "", "prompt": "x"}, 400, "model is required"),
        ("/api/show", {"model": "", "name": ""}, 400, "model is required"),
        ("/api/pull", {"model": ""}, 400, "invalid model name"),
        ("/api/push", {}, 400, "does not push"),
        ("/api/create", {"model": "a", "quantize": "q4_0"}, 400, "does not quantize"),
        ("/api/copy", {"source": "", "destination": "x"}, 400, 'source "" is invalid'),
        ("/api/copy", {"source": "nope", "destination": "x"}, 404, "model 'nope' not found"),
        ("/api/blobs/sha256-x", {}, 400, "invalid digest format"),
        ("/api/me", {}, 403, "no cloud"),
        ("/api/experimental/web_search", {"query": "x"}, 403, "no cloud"),
    ],
)  # fmt: skip
async def test_a_bad_request_is_told_what_is_wrong(
    client: TestClientProtocol, path: str, body: dict[str, object], status: int, text: str
) -> None:
    response = await client.post(path, json={"model": "test", **body})

    assert response.status_code == status
    assert text in (await response.get_json())["error"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "missing request body"),
        (b"  \n", "missing request body"),
        (b"{", "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b'{"model": "\xff"}', "not valid JSON"),
        (b'{"model": NaN}', "not valid JSON"),
        (b'{"model":' + b"[" * 100_000, "nested too deeply"),
        (b'{"model": "test", "messages": [], "options": {"num_ctx": 1' + b"0" * 500 + b"}}", "must be of type integer"),
    ],
)
async def test_a_body_that_is_no_json_object_is_a_400(client: TestClientProtocol, data: bytes, text: str) -> None:
    """F100: bytes that are not UTF-8, depth and huge numbers are the client's mistake."""
    response = await client.post("/api/chat", data=data)

    assert response.status_code == 400
    assert text in (await response.get_json())["error"]


async def test_keys_match_in_any_case_and_the_last_one_wins(client: TestClientProtocol, engine: ScriptedEngine) -> None:
    data = b'{"MODEL": "nope", "Model": "test", "Messages": [{"ROLE": "User", "Content": "hi", "x": 1}], "Stream": false, "y": 2}'

    response = await client.post("/api/chat", data=data)

    assert response.status_code == 200
    assert [(m.role, m.content) for m in engine.requests[0].conversation.messages] == [("user", "hi")]


async def test_null_means_absent(client: TestClientProtocol, engine: ScriptedEngine) -> None:
    body = {
        "messages": [{"role": "user", "content": None, "tool_calls": None}],
        "stream": None,
        "options": None,
        "format": None,
        "tools": None,
    }

    request = await asked(client, engine, "/api/chat", body)

    assert request.conversation.messages[0].content == ""


async def test_tools_keep_every_keyword_and_their_order(client: TestClientProtocol, engine: ScriptedEngine) -> None:
    schema = {"z": {"$ref": "#/$defs/q"}, "a": {"oneOf": [{"type": "null"}], "default": None}}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"additionalProperties": False, "properties": schema}}}

    request = await asked(client, engine, "/api/chat", {"messages": HI, "tools": [tool]})

    assert json.dumps(request.conversation.tools[0]) == json.dumps(tool)


async def test_generate_asks_for_a_turn_with_its_system_message(client: TestClientProtocol, engine: ScriptedEngine) -> None:
    body = {"prompt": "hi", "system": "Be kind.", "suffix": "end", "template": "{{ .Prompt }}", "context": [1, 2], "shift": False}

    request = await asked(client, engine, "/api/generate", body)

    assert [(m.role, m.content) for m in request.conversation.messages] == [("system", "Be kind."), ("user", "hi")]
    assert (request.suffix, request.conversation.template, request.context, request.shift) == ("end", "{{ .Prompt }}", (1, 2), False)


async def test_raw_passes_the_prompt_on_verbatim(client: TestClientProtocol, engine: ScriptedEngine) -> None:
    request = await asked(client, engine, "/api/generate", {"prompt": "<|im_start|>x", "raw": True})

    assert (request.raw, request.context) == ("<|im_start|>x", None)


async def test_generate_returns_the_tokens_to_go_on_from(client: TestClientProtocol, engine: ScriptedEngine) -> None:
    engine.script = [ContentDelta("a"), Finish("stop", USAGE, (1, 2, 3))]

    response = await client.post("/api/generate", json={"model": "test", "prompt": "x", "stream": False})

    assert (await response.get_json())["context"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/api/generate", {}, "load"),
        ("/api/generate", {"prompt": "", "keep_alive": 0}, "unload"),
        ("/api/generate", {"keep_alive": "0s"}, "unload"),
        ("/api/chat", {}, "load"),
        ("/api/chat", {"messages": [], "keep_alive": 0, "stream": False}, "unload"),
    ],
)
async def test_a_request_without_content_loads_or_unloads(
    client: TestClientProtocol, engine: ScriptedEngine, path: str, body: dict[str, object], reason: str
) -> None:
    response = await client.post(path, json={"model": "test", "wurst": 1, **body})

    answer = await response.get_json()
    assert (answer["done"], answer["done_reason"]) == (True, reason)
    assert response.headers["x-corral-ignored"] == "wurst"
    assert (len(engine.loads), len(engine.unloads)) == ((1, 0) if reason == "load" else (0, 1))


@pytest.mark.parametrize(("path", "key"), [("/api/embed", "embeddings"), ("/api/embeddings", "embedding")])
async def test_embedding_nothing_loads_the_model(client: TestClientProtocol, engine: ScriptedEngine, path: str, key: str) -> None:
    response = await client.post(path, json={"model": "test", "input": [], "keep_alive": -1})

    assert (await response.get_json())[key] == []
    assert engine.loads == [("test", math.inf)]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, None), (0, 0), ("0", 0), (1.5, 1.5), (-1, math.inf), ("-1", math.inf), ("-1m", math.inf), ("1h30m", 5400), ("10", 10)],
)
def test_keep_alive_is_read_as_seconds(value: float | str | None, seconds: float | None) -> None:
    assert keep_alive_s(value) == seconds


@pytest.mark.parametrize("value", [True, "", "x", "5 minutes", "nan"])
def test_what_is_no_duration_is_refused(value: bool | str) -> None:
    with pytest.raises(InvalidInput):
        keep_alive_s(value)


async def test_what_means_nothing_is_named_in_a_header(client: TestClientProtocol) -> None:
    response = await client.post(
        "/api/chat", json={"model": "test", "messages": HI, "options": {"num_ctx": 8, "wurst": 1, "numa": True, "é\n": 1}}
    )

    assert response.headers["x-corral-ignored"] == "options.wurst, options.??"


@pytest.mark.parametrize(("path", "body"), [("/api/pull", {"insecure": True}), ("/api/create", {"from": "test", "quantise": "q4_0"})])
async def test_what_a_transfer_leaves_out_is_named_too(client: TestClientProtocol, path: str, body: dict[str, object]) -> None:
    response = await client.post(path, json={"model": "x", "stream": False, "wurst": 1, **body})

    assert response.status_code == 200
    assert set(response.headers["x-corral-ignored"].split(", ")) == {"wurst", *body} - {"from"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/show", {"model": "test"}),
        ("POST", "/api/copy", {"source": "test", "destination": "other"}),
        ("DELETE", "/api/delete", {"model": "test"}),
    ],
)
async def test_what_means_nothing_to_a_route_about_models_is_named(
    client: TestClientProtocol, method: str, path: str, body: dict[str, object]
) -> None:
    response = await client.open(path, method=method, json={**body, "wurst": 1})

    assert (response.status_code, response.headers["x-corral-ignored"]) == (200, "wurst")


async def test_the_list_tells_what_each_model_can_do(client: TestClientProtocol) -> None:
    (model,) = (await (await client.get("/api/tags")).get_json())["models"]

    assert model["capabilities"] == ["completion", "tools"]
    assert (model["details"]["family"], model["details"]["context_length"]) == ("llama", 4096)
    assert "embedding_length" not in model["details"]


async def test_debug_render_shows_the_prompt_and_counts_images(client: TestClientProtocol) -> None:
    chat = {"model": "test", "messages": [{"role": "user", "content": "hi", "images": ["AAAA"]}], "_debug_render_only": True}
    generate = {"model": "test", "prompt": "<|x|>", "raw": True, "_debug_render_only": True}

    shown = [await (await client.post(path, json=body)).get_json() for path, body in (("/api/chat", chat), ("/api/generate", generate))]

    assert shown[0]["_debug_info"] == {"rendered_template": "[img-0]<|user|>hi", "image_count": 1}
    assert (shown[0]["done"], shown[0]["message"]) == (False, {"role": "", "content": ""})
    assert shown[1]["_debug_info"] == {"rendered_template": "<|user|><|x|>"}


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/", 200, "Ollama is running"),
        ("HEAD", "/", 200, ""),
        ("HEAD", "/api/tags", 200, ""),
        ("GET", "/api/tags/", 200, "models"),
        ("GET", "/nope", 404, "404 page not found"),
        ("GET", "/api/chat", 405, "405 method not allowed"),
        ("POST", "/api/tags", 405, "405 method not allowed"),
        ("GET", "/api/version", 200, "version"),
        ("GET", "/api/status", 200, '{"cloud":{"disabled":true,"source":"config"}}'),
        ("HEAD", "/api/blobs/sha256:" + "a" * 64, 404, ""),
    ],
)
async def test_routes_answer_as_clients_of_ollama_expect(
    client: TestClientProtocol, method: str, path: str, status: int, text: str
) -> None:
    response = await client.open(path, method=method)

    assert response.status_code == status
    assert text in (await response.get_data()).decode()


async def test_an_upload_is_stored_once_and_checked(client: TestClientProtocol) -> None:
    digest = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"

    statuses = [(await client.post(f"/api/blobs/{name}", data=data)).status_code for name, data in (
        (digest, b"foo"), (digest, b"not read"), ("sha256:" + "0" * 64, b"foo"),
    )]  # fmt: skip

    assert statuses == [201, 200, 400]
    assert (await client.head(f"/api/blobs/{digest}")).status_code == 200


async def test_pull_without_a_stream_ends_with_success_or_a_status(client: TestClientProtocol, engine: ScriptedEngine) -> None:
    success = await client.post("/api/pull", json={"model": "x", "stream": False})
    engine.library.steps = [InvalidInput("no such thing")]
    failure = await client.post("/api/pull", json={"model": "x", "stream": False})

    assert (await success.get_json(), failure.status_code) == ({"status": "success"}, 400)


async def test_a_transfer_that_fails_before_its_first_step_has_a_status_and_later_a_line(
    client: TestClientProtocol, engine: ScriptedEngine
) -> None:
    engine.library.steps = [InvalidInput("no such thing")]
    at_once = await client.post("/api/create", json={"model": "x", "from": "test"})
    engine.library.steps = [Progress("pulling manifest"), InvalidInput("no such thing")]
    later = await client.post("/api/pull", json={"model": "x"})

    assert (at_once.status_code, await at_once.get_json()) == (400, {"error": "no such thing"})
    assert (later.status_code, await later.get_data(as_text=True)) == (200, '{"status":"pulling manifest"}\n{"error":"no such thing"}\n')
