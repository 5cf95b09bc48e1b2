"""JavaScript's clients: ollama, openai, @anthropic-ai/sdk, and ai with @ai-sdk/openai-compatible, asked for all they have."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.long, pytest.mark.skipif(shutil.which("npm") is None, reason="npm installs the clients")]

SCRIPTS = Path(__file__).parent / "scripts"
PACKAGES = (
    "ollama@0.6.4",
    "openai@6.49.0",
    "@anthropic-ai/sdk@1.12.0",
    "ai@6.0.326",
    "@ai-sdk/openai-compatible@2.0.92",
    "zod@4.6.7",
)
TOOLS = ("tool_call", "streamed_tool_call", "tool_answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One script: what it tries, and which errors it makes of an abort and of a missing model."""

    methods: tuple[str, ...]
    failures: dict[str, str]


CLIENTS = {
    "ollama": Package(
        methods=(
            *("chat", "complete", "stream", "streamed_complete", "usage", "thinking", *TOOLS),
            *("structured", "embedding", "models", "shown", "running", "pulled"),
        ),
        failures={"aborted": "AbortError", "missing_model": "ResponseError"},
    ),
    "openai": Package(
        methods=(
            *("chat", "complete", "stream", "streamed_complete", "usage", "thinking", *TOOLS),
            *("responses", "streamed_responses", "structured", "embedding", "models"),
        ),
        failures={"aborted": "APIUserAbortError", "missing_model": "NotFoundError"},
    ),
    "anthropic": Package(
        methods=("chat", "stream", "usage", "thinking", "streamed_thinking", *TOOLS, "structured", "counted", "models"),
        failures={"aborted": "APIUserAbortError", "missing_model": "NotFoundError"},
    ),
    "ai": Package(
        methods=("chat", "stream", "usage", "thinking", *TOOLS, "structured", "streamed_structure", "embedding"),
        failures={"missing_model": "AI_APICallError"},
    ),
}


@pytest.fixture(scope="module")
def see(url: str, node_with: Callable[..., Path]) -> Callable[[str], dict[str, Any]]:
    """Return how to run a client's script; each runs once."""
    # Node looks for packages beside the script, so the scripts go where the packages are.
    folder = node_with(*PACKAGES)
    scripts = shutil.copytree(SCRIPTS, folder / "scripts", dirs_exist_ok=True)

    @cache
    def see(name: str) -> dict[str, Any]:
        client = CLIENTS[name]
        command = ["node", str(scripts / f"with_{name}.mjs"), url, "test", *client.methods, *client.failures]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return see


@pytest.mark.parametrize(("name", "method"), [(name, method) for name, client in CLIENTS.items() for method in client.methods])
def test_a_client_sees_what_was_said(name: str, method: str, see: Callable[[str], dict[str, Any]], said: dict[str, Any]) -> None:
    assert see(name)[method] == said[method]


@pytest.mark.parametrize(
    ("name", "method", "failure"),
    [(name, method, failure) for name, client in CLIENTS.items() for method, failure in client.failures.items()],
)
def test_a_failure_is_the_clients_own_error(name: str, method: str, failure: str, see: Callable[[str], dict[str, Any]]) -> None:
    assert see(name)[method] == {"failure": failure}
