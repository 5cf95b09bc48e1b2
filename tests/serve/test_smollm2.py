"""The real model behind the real server, asked by the official clients."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import ollama
import openai
import pytest
from real_server import corral, create, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.long, pytest.mark.model]

OPTIONS = {"temperature": 0, "num_predict": 24, "num_ctx": 1024, "num_thread": 1}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Look up the weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
            "required": ["city", "unit"],
        },
    },
}

#: XML, JSON and Python.
CALL_FORMATS = ("qwen3-coder", "hermes", "lfm2")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, smollm2_path: Path) -> Path:
    """Return a home with SmolLM2 as it is, and as models that call tools in the formats of other families."""
    home = tmp_path_factory.mktemp("home")
    create(home, "smollm2", f"FROM {smollm2_path}\nPARAMETER num_thread 1\nPARAMETER num_ctx 1024\n")
    for name in CALL_FORMATS:
        create(home, f"caller-{name}", f"FROM smollm2\nRENDERER {name}\nPARSER {name}\n")
    create(home, "thinker", "FROM smollm2\nRENDERER qwen3\nPARSER qwen3\n")
    create(home, "terse", "FROM smollm2\nPARAMETER num_predict 16\n")
    return home


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    """Serve that home on a free port."""
    with served(home) as url:
        yield url


@pytest.fixture
def native(url: str) -> Iterator[ollama.Client]:
    with ollama.Client(host=url) as client:
        yield client


@pytest.fixture
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="unused") as client:
        yield client


@pytest.fixture
def _no_holes(native: ollama.Client) -> None:
    """Unload the model, so that its next cache has no holes of other tests' answers.

    llama.cpp adds up attention in the order of the cache's cells: a prompt whose cells lie in another order than its tokens gives
    logits that differ by up to 0.7 (SmolLM2), and the words here are chosen by 0.1.
    """
    native.generate("smollm2", keep_alive=0)


@pytest.mark.usefixtures("_no_holes")
def test_streamed_and_whole_answers_are_the_same_text(native: ollama.Client) -> None:
    messages = [{"role": "user", "content": "Name three colours."}]

    whole = native.chat("smollm2", messages=messages, options=OPTIONS)
    streamed = list(native.chat("smollm2", messages=messages, options=OPTIONS, stream=True))

    assert len(streamed) > 5
    assert "".join(chunk.message.content or "" for chunk in streamed) == whole.message.content
    assert (streamed[-1].done, streamed[-1].eval_count) == (True, whole.eval_count)


@pytest.mark.usefixtures("_no_holes")
def test_generate_goes_the_same_way_as_chat(native: ollama.Client) -> None:
    generated = native.generate("smollm2", "Name three colours.", options=OPTIONS)
    chatted = native.chat("smollm2", messages=[{"role": "user", "content": "Name three colours."}], options=OPTIONS)

    assert generated.response == chatted.message.content


@pytest.mark.usefixtures("_no_holes")
def test_the_openai_client_reads_the_same_answer(native: ollama.Client, client: openai.OpenAI) -> None:
    chatted = native.chat("smollm2", messages=[{"role": "user", "content": "Name three colours."}], options=OPTIONS)

    stream = client.chat.completions.create(
        model="smollm2", messages=[{"role": "user", "content": "Name three colours."}], temperature=0, top_p=0.9, max_tokens=24, stream=True
    )

    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == chatted.message.content


@pytest.mark.parametrize("name", CALL_FORMATS)
def test_a_forced_call_streams_its_arguments_to_the_openai_client(name: str, client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model=f"caller-{name}",
        messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        tools=[WEATHER],  # type: ignore[list-item]
        tool_choice="required",
        parallel_tool_calls=False,
        temperature=0,
        stream=True,
    )

    deltas = [call for chunk in stream if chunk.choices for call in chunk.choices[0].delta.tool_calls or ()]
    pieces = [delta.function.arguments or "" for delta in deltas if delta.function]
    arguments = json.loads("".join(pieces))
    assert deltas[0].function is not None
    assert deltas[0].function.name == "get_weather"
    assert set(arguments) == {"city", "unit"}
    assert arguments["unit"] in ("celsius", "fahrenheit")
    assert len([piece for piece in pieces if piece]) > 2


def test_a_schema_binds_the_native_answer(native: ollama.Client) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer"}},
        "required": ["name", "age"],
    }

    answer = native.chat(
        "smollm2", messages=[{"role": "user", "content": "Describe a person."}], format=schema, options={**OPTIONS, "num_predict": 200}
    )

    person = json.loads(answer.message.content or "")
    assert isinstance(person["name"], str)
    assert isinstance(person["age"], int)


def test_a_schema_binds_what_follows_thinking_in_one_pass(native: ollama.Client, client: openai.OpenAI) -> None:
    # A model that never learned to think copies how it is done.
    messages = [{"role": "user", "content": '<think>Ann is 7.</think>{"age": 7}\n' * 4 + "Write this line again."}]
    schema = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0, "maximum": 120}}, "required": ["age"]}

    told = native.chat("thinker", messages=messages, think=True, format=schema, options={**OPTIONS, "num_predict": 100})
    said = client.chat.completions.create(
        model="thinker",
        messages=messages,  # type: ignore[arg-type]
        reasoning_effort="high",
        response_format={"type": "json_schema", "json_schema": {"name": "person", "schema": schema}},
        temperature=0,
        max_tokens=100,
    ).choices[0].message  # fmt: skip

    assert (told.message.thinking, said.model_extra["reasoning"]) == ("Ann is 7.", "Ann is 7.")
    assert [json.loads(text or "") for text in (told.message.content, said.content)] == [{"age": 7}, {"age": 7}]


def test_embeddings_are_unit_vectors(native: ollama.Client) -> None:
    embedded = native.embed("smollm2", ["hello", "a longer text"], options=OPTIONS)

    assert [round(sum(x * x for x in vector), 3) for vector in embedded.embeddings] == [1.0, 1.0]


def test_a_model_that_is_not_there_is_named(native: ollama.Client, client: openai.OpenAI) -> None:
    with pytest.raises(ollama.ResponseError, match="model 'nobody' not found"):
        native.chat("nobody", messages=[{"role": "user", "content": "x"}])
    with pytest.raises(openai.NotFoundError, match="nobody"):
        client.chat.completions.create(model="nobody", messages=[{"role": "user", "content": "x"}])


def test_a_prompt_can_be_seen_without_running_it(home: Path) -> None:
    prompt = corral(home, "render", "--model", "smollm2", stdin='{"messages": [{"role": "user", "content": "Hi"}]}')

    assert prompt.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")


def test_run_answers_without_a_server(home: Path) -> None:
    assert corral(home, "run", "terse", "Say hello.").strip()
