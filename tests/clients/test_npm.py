"""JavaScript's clients: ollama, openai, @anthropic-ai/sdk, and ai with @ai-sdk/openai-compatible."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import platformdirs
import pytest

pytestmark = [pytest.mark.long, pytest.mark.skipif(shutil.which("npm") is None, reason="npm installs the clients")]

PACKAGES = ("ollama", "openai", "@anthropic-ai/sdk", "ai", "@ai-sdk/openai-compatible")
CALL = {"city": "Paris"}


@pytest.fixture(scope="module")
def seen(url: str) -> dict[str, dict[str, Any]]:
    """Run the script of all clients once and return what they saw."""
    folder = platformdirs.user_cache_path("corral") / "tests" / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    if not all((folder / "node_modules" / package).exists() for package in PACKAGES):
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES], check=True, capture_output=True)
    script = folder / "clients.mjs"
    script.write_text((Path(__file__).parent / "clients.mjs").read_text())
    result = subprocess.run(["node", str(script), url, "test"], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_ollama_js_chats_calls_lists_embeds_and_fails(seen: dict[str, dict[str, Any]]) -> None:
    ollama = seen["ollama"]

    assert (ollama["text"], ollama["call"]["name"], ollama["call"]["arguments"]) == ("Let me look.", "get_weather", CALL)
    assert (ollama["models"], ollama["vector"], ollama["failure"]) == (1, 4, "ResponseError 404")


def test_openai_js_streams_calls_answers_embeds_and_fails(seen: dict[str, dict[str, Any]]) -> None:
    openai = seen["openai"]

    assert (openai["text"], json.loads(openai["call"]["arguments"]), openai["response"]) == ("Let me look.", CALL, "Let me look.")
    assert openai["vector"] == 4
    assert openai["failure"].endswith("404")


def test_anthropic_js_streams_calls_and_fails(seen: dict[str, dict[str, Any]]) -> None:
    anthropic = seen["anthropic"]

    assert (anthropic["text"], anthropic["call"]["name"], anthropic["call"]["input"]) == ("Let me look.", "get_weather", CALL)
    assert anthropic["failure"].endswith("404")


def test_the_ai_package_streams_and_generates(seen: dict[str, dict[str, Any]]) -> None:
    assert seen["ai"] == {"text": "Let me look.", "whole": "Let me look."}
