"""Coding agents without a person: the house plays a coder in the qwen3-coder format, and a file is really written."""

from __future__ import annotations

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


def test_qwen_code_writes_a_file(house: str, tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    environment = {**os.environ, "HOME": str(home), "OPENAI_API_KEY": "none", "OPENAI_BASE_URL": f"{house}/v1", "OPENAI_MODEL": "coder"}
    command = [str(installed("@qwen-code/qwen-code", "qwen")), "--auth-type", "openai", "-y", f"Write the file {work}/hello.txt please"]

    result = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert (work / "hello.txt").read_text() == CONTENT, result.stdout + result.stderr
    assert result.stdout.strip() == "Done."
