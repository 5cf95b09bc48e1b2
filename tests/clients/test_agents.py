"""Coding agents without a person: the house plays a coder in the qwen3-coder format, and files are really written and edited."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.long
needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm installs the agents")

BEFORE = "One.\nHello from nobody.\nThree.\n"
AFTER = 'One.\nHello <from> "corral".\nThree.\n'
WRITTEN = 'Hello from corral.\nIt has <tags> & "quotes".'


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a whole house with a scripted runner."""
    command = [sys.executable, str(Path(__file__).parent / "scripted_server.py"), str(tmp_path_factory.mktemp("house"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.terminate()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a folder with a file for an agent to work in, beside one for its settings."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "greeting.txt").write_text(BEFORE)
    return tmp_path / "work"


def run(work: Path, *command: str, **environment: str) -> str:
    """Run an agent in its folder with settings of its own, and return what it says."""
    settings = {**os.environ, "HOME": str(work.parent / "home"), "PWD": str(work), **environment}
    result = subprocess.run(
        command, cwd=work, env=settings, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def qwen_code(work: Path, house: str, node_with: Callable[..., Path], task: str) -> str:
    agent = node_with("@qwen-code/qwen-code@0.15.10") / "node_modules" / ".bin" / "qwen"
    server = {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": f"{house}/v1", "OPENAI_MODEL": "coder"}
    return run(work, str(agent), "--auth-type", "openai", "-y", task, **server)


def claude_code(work: Path, house: str, node_with: Callable[..., Path], task: str) -> str:
    """Run Claude Code, over Anthropic's dialect."""
    agent = node_with("@anthropic-ai/claude-code@2.1.197") / "node_modules" / ".bin" / "claude"
    server = {"ANTHROPIC_BASE_URL": house, "ANTHROPIC_AUTH_TOKEN": "none"}
    models = {"ANTHROPIC_MODEL": "coder", "ANTHROPIC_SMALL_FAST_MODEL": "coder"}
    quiet = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    return run(work, str(agent), "-p", task, "--permission-mode", "acceptEdits", **server, **models, **quiet)


def opencode(work: Path, house: str, node_with: Callable[..., Path], task: str) -> str:
    agent = node_with("opencode-ai@1.18.33") / "node_modules" / ".bin" / "opencode"
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "corral",
        "options": {"baseURL": f"{house}/v1", "apiKey": "none"},
        "models": {"coder": {"name": "coder"}},
    }
    configuration = {
        "provider": {"corral": provider},
        "model": "corral/coder",
        "small_model": "corral/coder",
        "permission": {"edit": "allow", "bash": "allow"},
    }
    (work / "opencode.json").write_text(json.dumps(configuration))
    return run(work, str(agent), "run", "-m", "corral/coder", task)


@needs_npm
@pytest.mark.parametrize("agent", [qwen_code, claude_code, opencode])
def test_an_agent_writes_a_file(agent: Callable[..., str], house: str, work: Path, node_with: Callable[..., Path]) -> None:
    said = agent(work, house, node_with, f"Write the file {work}/hello.txt please")

    assert (work / "hello.txt").read_text() == WRITTEN
    assert "Done." in said


@needs_npm
@pytest.mark.parametrize("agent", [qwen_code, claude_code, opencode])
def test_an_agent_reads_and_edits_a_file(agent: Callable[..., str], house: str, work: Path, node_with: Callable[..., Path]) -> None:
    said = agent(work, house, node_with, f"Edit the file {work}/greeting.txt please")

    assert (work / "greeting.txt").read_text() == AFTER
    assert "Done." in said


@pytest.mark.parametrize("model", ["openai/coder", "ollama_chat/coder"])
def test_aider_edits_a_file_without_tools(model: str, house: str, work: Path, python_with: Callable[..., Path]) -> None:
    # Aider would download a list of prices; it trusts a young one.
    prices = work.parent / "home" / ".aider" / "caches" / "model_prices_and_context_window.json"
    prices.parent.mkdir(parents=True)
    prices.write_text("{}")
    server = {"OPENAI_API_BASE": f"{house}/v1", "OPENAI_API_KEY": "none", "OLLAMA_API_BASE": house, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    quiet = ("--yes-always", "--no-git", "--no-check-update", "--no-show-model-warnings", "--no-analytics", "--no-show-release-notes")
    task = ("--edit-format", "diff", "--message", "Edit the file greeting.txt please", "greeting.txt")

    said = run(work, str(python_with("aider-chat==0.86.2")), "-m", "aider", "--model", model, *quiet, *task, **server)

    assert (work / "greeting.txt").read_text() == AFTER
    assert "Applied edit to greeting.txt" in said
