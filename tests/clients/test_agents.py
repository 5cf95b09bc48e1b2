"""Coding agents without a person: the house plays a coder in the qwen3-coder format, and a file is really written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.long, pytest.mark.skipif(shutil.which("npm") is None, reason="npm installs the agents")]

CONTENT = 'Hello from corral.\nIt has <tags> & "quotes".'


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a whole house with a scripted runner."""
    command = [sys.executable, str(Path(__file__).parent / "scripted_server.py"), str(tmp_path_factory.mktemp("house"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.terminate()


def installed(package: str, command: str) -> Path:
    """Return a command of an npm package, installed into the user's cache once."""
    folder = platformdirs.user_cache_path("corral") / "tests" / command
    folder.mkdir(parents=True, exist_ok=True)
    binary = folder / "node_modules" / ".bin" / command
    if not binary.exists():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), package], check=True, capture_output=True)
    return binary


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return an empty folder for an agent to work in, beside one for its settings."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def run(work: Path, *command: str, **environment: str) -> str:
    """Run an agent in its folder with settings of its own, and return what it says."""
    settings = {**os.environ, "HOME": str(work.parent / "home"), "PWD": str(work), **environment}
    result = subprocess.run(command, cwd=work, env=settings, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_qwen_code_writes_a_file(house: str, work: Path) -> None:
    agent = str(installed("@qwen-code/qwen-code", "qwen"))
    server = {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": f"{house}/v1", "OPENAI_MODEL": "coder"}

    said = run(work, agent, "--auth-type", "openai", "-y", f"Write the file {work}/hello.txt please", **server)

    assert (work / "hello.txt").read_text() == CONTENT
    assert said.strip() == "Done."


def test_claude_code_writes_a_file_over_anthropics_dialect(house: str, work: Path) -> None:
    agent = str(installed("@anthropic-ai/claude-code", "claude"))
    server = {"ANTHROPIC_BASE_URL": house, "ANTHROPIC_AUTH_TOKEN": "none"}
    models = {"ANTHROPIC_MODEL": "coder", "ANTHROPIC_SMALL_FAST_MODEL": "coder"}
    quiet = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}

    said = run(
        work, agent, "-p", f"Write the file {work}/hello.txt please", "--permission-mode", "acceptEdits", **server, **models, **quiet
    )

    assert (work / "hello.txt").read_text() == CONTENT
    assert said.strip() == "Done."


def test_opencode_writes_a_file(house: str, work: Path) -> None:
    agent = str(installed("opencode-ai", "opencode"))
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

    said = run(work, agent, "run", "-m", "corral/coder", f"Write the file {work}/hello.txt please")

    assert (work / "hello.txt").read_text() == CONTENT
    assert "Done." in said
