"""The real command in processes of their own: what a person runs, with a home for the test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def environment(home: Path) -> dict[str, str]:
    """Return what the command sees: no settings of the machine, and a free port."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CORRAL_", "OLLAMA_"))}
    return {**inherited, "CORRAL_HOME": str(home), "CORRAL_HOST": "127.0.0.1:0"}


def corral(home: Path, *arguments: str, stdin: str = "") -> str:
    """Return what a command that must succeed writes."""
    finished = run(home, *arguments, stdin=stdin)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def run(home: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Return a command that has ended, however it did."""
    command = [sys.executable, "-m", "corral", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment(home), check=False)


def create(home: Path, name: str, modelfile: str) -> None:
    """Make a model of a Modelfile."""
    path = home / f"Modelfile.{name}"
    path.write_text(modelfile)
    corral(home, "create", name, "-f", str(path))


@contextmanager
def served(home: Path) -> Iterator[str]:
    """Yield the URL of a server; leaving the block stops it. What it says is in the report of the test that runs then."""
    command = [sys.executable, "-m", "corral", "serve"]
    with (
        subprocess.Popen(command, env=environment(home), stderr=subprocess.PIPE, text=True) as server,
        ThreadPoolExecutor(1) as listener,
    ):
        assert server.stderr is not None
        try:
            url = _url(server.stderr)
            listener.submit(sys.stderr.writelines, server.stderr)
            yield url
        finally:
            server.terminate()


def _url(lines: Iterable[str]) -> str:
    said = []
    for line in lines:
        said.append(line)
        if found := re.search(r"http://[\d.:]+", line):
            return found.group()
    pytest.fail(f"the server ended before it listened:\n{''.join(said)}")
