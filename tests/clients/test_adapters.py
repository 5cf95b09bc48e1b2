"""Python's adapters: frameworks that speak to Ollama, OpenAI or Anthropic, each asked for everything that it has.

Every adapter sits in an environment of its own, where a script calls its methods and prints what they saw (`scripts/`). The
server plays the same scenes for all, so whatever the adapter and its dialect, a method must see the same.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.long

SCRIPTS = Path(__file__).parent / "scripts"
TALK = ("chat", "async_chat", "stream")
TOOLS = ("tool_call", "streamed_tool_call", "tool_answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """One script: what it needs, which model it asks, what it tries, and what it raises when a model is missing."""

    script: str
    requirements: tuple[str, ...]
    methods: tuple[str, ...]
    missing_model: str
    model: str = "test"


LITELLM = {"script": "with_litellm.py", "requirements": ("litellm==1.106.2", "mcp==2.3.0")}
ADAPTERS = {
    "langchain-ollama": Adapter(
        script="with_langchain_ollama.py",
        requirements=("langchain-ollama==1.1.0",),
        methods=(*TALK, "usage", "thinking", *TOOLS, "structured", "embedding"),
        missing_model="ResponseError",
    ),
    "langchain-openai": Adapter(
        script="with_langchain_openai.py",
        requirements=("langchain-openai==1.7.3",),
        methods=(*TALK, "usage", "responses", "streamed_responses", *TOOLS, "structured", "embedding"),
        missing_model="OpenAIModelNotFoundError",
    ),
    "llama-index": Adapter(
        script="with_llama_index.py",
        requirements=("llama-index-llms-ollama==0.11.0", "llama-index-embeddings-ollama==0.10.0"),
        methods=(*TALK, "complete", "thinking", *TOOLS, "structured", "embedding"),
        missing_model="ResponseError",
    ),
    "litellm-ollama": Adapter(
        **LITELLM, model="ollama_chat/test", methods=(*TALK, "usage", *TOOLS, "structured", "embedding"), missing_model="NotFoundError"
    ),
    "litellm-openai": Adapter(
        **LITELLM, model="openai/test", methods=(*TALK, "usage", *TOOLS, "structured", "embedding"), missing_model="NotFoundError"
    ),
    "litellm-anthropic": Adapter(
        **LITELLM, model="anthropic/test", methods=(*TALK, "usage", *TOOLS, "structured"), missing_model="NotFoundError"
    ),
    "pydantic-ai": Adapter(
        script="with_pydantic_ai.py",
        requirements=("pydantic-ai-slim[openai]==2.68.0",),
        methods=(*TALK, "usage", *TOOLS, "structured", "structured_by_a_tool", "embedding"),
        missing_model="ModelNotFoundError",
    ),
    "instructor": Adapter(
        script="with_instructor.py",
        requirements=("instructor==1.17.0",),
        methods=("structured", "structured_by_a_tool", "structured_by_json_mode", "streamed_structure", "async_structure"),
        missing_model="InstructorRetryException",
    ),
    "llm": Adapter(
        script="with_llm.py",
        requirements=("llm==0.36", "llm-ollama==0.19.1"),
        methods=(*TALK, "usage", "command", *TOOLS, "structured", "embedding"),
        missing_model="UnknownModelError",
        model="ollama/test:latest",
    ),
}


@pytest.fixture(scope="module")
def see(url: str, python_with: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """Return how to run an adapter's script; each runs once."""

    @cache
    def see(name: str) -> dict[str, Any]:
        adapter = ADAPTERS[name]
        command = [str(python_with(*adapter.requirements)), str(SCRIPTS / adapter.script), url, adapter.model]
        return run([*command, *adapter.methods, "missing_model"], tmp_path_factory.mktemp("home"))

    return see


def run(command: list[str], home: Path) -> dict[str, Any]:
    """Run a script with a home of its own, away from the person's settings and keys, and return what it saw."""
    #: litellm would fetch its price list, llama-index and langchain would look for tokenizers and tracers.
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LANGSMITH_TRACING": "false", "PYTHONWARNINGS": "ignore"}
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LLM_USER_PATH": str(home / "llm"), **quiet}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("name", "method"), [(name, method) for name, adapter in ADAPTERS.items() for method in adapter.methods])
def test_an_adapter_sees_what_was_said(name: str, method: str, see: Callable[[str], dict[str, Any]], said: dict[str, Any]) -> None:
    assert see(name)[method] == said[method]


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_model_that_is_not_there_is_the_adapters_own_error(name: str, see: Callable[[str], dict[str, Any]]) -> None:
    assert see(name)["missing_model"] == {"failure": ADAPTERS[name].missing_model}


@pytest.mark.model
@pytest.mark.parametrize("name", ["langchain-ollama", "litellm-openai", "litellm-anthropic"])
def test_a_real_model_answers_an_adapter_of_each_dialect(
    name: str, smollm2_url: str, python_with: Callable[..., Path], tmp_path: Path
) -> None:
    adapter = ADAPTERS[name]
    model = adapter.model.replace("test", "smollm2")
    interpreter = str(python_with(*adapter.requirements))

    seen = run([interpreter, str(SCRIPTS / adapter.script), smollm2_url, model, "chat", "stream", "structured"], tmp_path)

    assert seen["chat"]
    assert len(seen["stream"]) > 3
    assert isinstance(seen["structured"]["city"], str)
