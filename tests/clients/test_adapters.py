"""Python's adapters: frameworks that speak to Ollama, OpenAI or Anthropic, each tried with what it has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("default")]

TEXT = "Let me look."


class Place(BaseModel):
    """Where the weather is asked for."""

    city: str


def get_weather(city: str) -> str:
    """Look up the weather of a city."""
    return f"sunny in {city}"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Let other people's deprecations be."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def test_langchain_ollama(url: str) -> None:
    package = pytest.importorskip("langchain_ollama")
    chat = package.ChatOllama(model="test", base_url=url)

    called = chat.bind_tools([get_weather]).invoke("weather in Paris?")

    assert chat.invoke("hi").content == TEXT
    assert "".join(chunk.content for chunk in chat.stream("hi")) == TEXT
    assert [(call["name"], call["args"]) for call in called.tool_calls] == [("get_weather", {"city": "Paris"})]
    assert chat.with_structured_output(Place).invoke("where?") == Place(city="Paris")
    assert package.OllamaEmbeddings(model="test", base_url=url).embed_query("x") == [0.6, 0.8, 0.0, 0.0]


def test_langchain_openai(url: str) -> None:
    package = pytest.importorskip("langchain_openai")
    chat = package.ChatOpenAI(model="test", base_url=f"{url}/v1", api_key="none", max_retries=0)
    embeddings = package.OpenAIEmbeddings(model="test", base_url=f"{url}/v1", api_key="none", check_embedding_ctx_length=False)

    called = chat.bind_tools([get_weather]).invoke("weather in Paris?")

    assert chat.invoke("hi").content == TEXT
    assert "".join(chunk.content for chunk in chat.stream("hi")) == TEXT
    assert [(call["name"], call["args"]) for call in called.tool_calls] == [("get_weather", {"city": "Paris"})]
    assert chat.with_structured_output(Place).invoke("where?") == Place(city="Paris")
    assert embeddings.embed_query("x") == pytest.approx([0.6, 0.8, 0.0, 0.0])


def test_llama_index(url: str) -> None:
    package = pytest.importorskip("llama_index.llms.ollama")
    tools = pytest.importorskip("llama_index.core.tools")
    llm = package.Ollama(model="test", base_url=url, request_timeout=20)

    called = llm.chat_with_tools([tools.FunctionTool.from_defaults(fn=get_weather)], user_msg="weather in Paris?")

    assert llm.complete("hi").text == TEXT
    assert "".join(part.delta or "" for part in llm.stream_complete("hi")) == TEXT
    assert llm.get_tool_calls_from_response(called)[0].tool_kwargs == {"city": "Paris"}


@pytest.mark.parametrize(("model", "path"), [("ollama_chat/test", ""), ("openai/test", "/v1"), ("anthropic/test", "")])
def test_litellm(url: str, model: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    litellm = pytest.importorskip("litellm")
    common = {"model": model, "api_base": f"{url}{path}", "api_key": "none", "max_tokens": 50}
    messages = [{"role": "user", "content": "weather in Paris?"}]
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tool = {"type": "function", "function": {"name": "get_weather", "description": "weather", "parameters": parameters}}

    whole = litellm.completion(messages=messages, **common)
    parts = list(litellm.completion(messages=messages, stream=True, **common))
    called = litellm.completion(messages=messages, tools=[tool], **common)

    assert whole.choices[0].message.content == TEXT
    assert "".join(part.choices[0].delta.content or "" for part in parts) == TEXT
    assert json.loads(called.choices[0].message.tool_calls[0].function.arguments) == {"city": "Paris"}


def test_pydantic_ai(url: str) -> None:
    package = pytest.importorskip("pydantic_ai")
    models = pytest.importorskip("pydantic_ai.models.openai")
    providers = pytest.importorskip("pydantic_ai.providers.openai")
    model = models.OpenAIChatModel("test", provider=providers.OpenAIProvider(base_url=f"{url}/v1", api_key="none"))
    asked: list[str] = []

    def tool(city: str) -> str:
        asked.append(city)
        return get_weather(city)

    talked = package.Agent(model, tools=[tool]).run_sync("weather in Paris?")
    placed = package.Agent(model, output_type=Place).run_sync("where?")

    assert (talked.output, asked) == (TEXT, ["Paris"])
    assert placed.output == Place(city="Paris")


@pytest.mark.parametrize("mode", ["TOOLS", "JSON_SCHEMA"])
def test_instructor(url: str, mode: str) -> None:
    instructor = pytest.importorskip("instructor")
    openai = pytest.importorskip("openai")
    client = instructor.from_openai(openai.OpenAI(base_url=f"{url}/v1", api_key="none"), mode=instructor.Mode[mode])

    place = client.chat.completions.create(model="test", messages=[{"role": "user", "content": "where?"}], response_model=Place)

    assert place.city == "Paris"


def test_llm_with_llm_ollama(url: str, tmp_path: Path) -> None:
    pytest.importorskip("llm_ollama")
    environment = {**os.environ, "OLLAMA_HOST": url, "LLM_USER_PATH": str(tmp_path)}
    command = [sys.executable, "-m", "llm", "-m", "ollama/test", "hi"]

    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert result.stdout.strip() == TEXT, result.stderr
