"""A server that plays a script, and the clients for it: installed once into the user's cache, never into this environment."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fetched import fetched
from real_server import create, served

from corral.events import ContentDelta, Finish, ThinkingDelta, ToolCallArgsDelta, ToolCallEnd, ToolCallStart
from corral.keys import KeyFile
from corral.settings import Settings
from corral.spec import ParserSupport
from corral.testing.api import USAGE, PaperLibrary, ScriptedEngine
from corral.testing.serving import mount_plugins, serving
from corral_api import anthropic, ollama, openai

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from pathlib import Path

    from corral.api import ModelDetails, Request
    from corral.events import Event

#: pip and npm may wait for a slow index.
INSTALL_S = 900

PLACE = {"city": "Paris"}
CALLS = [["get_weather", PLACE]]

#: What each method of a client must see, whatever its language and dialect.
SAID = {
    "chat": "Let me look.",
    "async_chat": "Let me look.",
    "complete": "Let me look.",
    "streamed_complete": ["Let me ", "look."],
    "command": "Let me look.",
    "stream": ["Let me ", "look."],
    "responses": "Let me look.",
    "streamed_responses": ["Let me ", "look."],
    "usage": [7, 2],
    "thinking": "Where is that?",
    "streamed_thinking": ["Where is ", "that?"],
    "tool_call": CALLS,
    "streamed_tool_call": CALLS,
    "tool_answer": "Let me look.",
    "structured": PLACE,
    "structured_by_a_tool": PLACE,
    "structured_by_json_mode": PLACE,
    "streamed_structure": PLACE,
    "async_structure": PLACE,
    "embedding": pytest.approx([0.6, 0.8, 0.0, 0.0]),
    "models": ["test:latest"],
    "running": ["test:latest"],
    "shown": ["completion", "tools", "thinking", "embedding"],
    "pulled": ["pulling manifest", "success"],
    "counted": 6,
}

#: SmolLM2 knows no tools, but writes any format that a grammar asks for.
SMOLLM2 = """FROM {path}
RENDERER qwen3-coder
PARSER qwen3-coder
PARAMETER num_thread 1
PARAMETER num_ctx 1024
PARAMETER num_predict 64
PARAMETER temperature 0
"""


class Repertoire(PaperLibrary):
    """Has one model that does everything."""

    def __init__(self) -> None:
        super().__init__()
        self.support = ParserSupport(tools=True, parallel_tools=True, thinking="optional", argument_streaming=True, constrains=True)

    def show(self, name: str, *, verbose: bool = False) -> ModelDetails:
        return replace(super().show(name, verbose=verbose), capabilities=("completion", "tools", "thinking", "embedding"))


class Playwright(ScriptedEngine):
    """Calls `get_weather` when it is offered and nobody has answered yet, fills a schema when one is given, talks otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.library = Repertoire()

    async def answer(self, request: Request) -> AsyncGenerator[Event, None]:
        self.script = self._script_for(request)
        async for event in super().answer(request):
            yield event

    def _script_for(self, request: Request) -> list[Event]:
        conversation = request.conversation
        thinking = [ThinkingDelta("Where is "), ThinkingDelta("that?")] if conversation.think else []
        return [*thinking, *self._lines_for(request), Finish("stop", USAGE)]

    def _lines_for(self, request: Request) -> list[Event]:
        conversation = request.conversation
        if conversation.format is not None:
            return [ContentDelta('{"city": '), ContentDelta('"Paris"}')]
        if conversation.tools and not any(message.role == "tool" for message in conversation.messages):
            return [ContentDelta("Let me "), ContentDelta("look."), *_call(_first_name(request))]
        return [ContentDelta("Let me "), ContentDelta("look.")]


def _first_name(request: Request) -> str:
    function = request.conversation.tools[0]["function"]
    assert isinstance(function, dict)
    return str(function["name"])


def _call(name: str) -> list[Event]:
    return [
        ToolCallStart(0, name, "call_aaaaaaaa"),
        ToolCallArgsDelta(0, '{"city": '),
        ToolCallArgsDelta(0, '"Paris"}'),
        ToolCallEnd(0, name, {"city": "Paris"}, id="call_aaaaaaaa"),
    ]


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    settings = Settings(host="127.0.0.1:0", home=home, drain_timeout_s=2.0)
    with serving(mount_plugins([ollama, openai, anthropic], Playwright(), settings), settings, KeyFile(home / "keys.json")) as address:
        yield address


@pytest.fixture(scope="session")
def said() -> dict[str, Any]:
    """Return what each method of a client must see."""
    return SAID


@pytest.fixture(scope="session")
def smollm2_url(tmp_path_factory: pytest.TempPathFactory, smollm2_path: Path) -> Iterator[str]:
    """Serve SmolLM2 as `smollm2`, with short answers, by the command that a person would use."""
    home = tmp_path_factory.mktemp("smollm2")
    create(home, "smollm2", SMOLLM2.format(path=smollm2_path))
    with served(home) as url:
        yield url


@pytest.fixture(scope="session")
def python_with() -> Callable[..., Path]:
    """Return how to get an interpreter for some requirements alone: what different clients need contradicts each other."""

    def interpreter(*requirements: str) -> Path:
        return fetched(_name("python", requirements), lambda folder: _install_python(folder, requirements)) / "bin" / "python"

    return interpreter


@pytest.fixture(scope="session")
def node_with() -> Callable[..., Path]:
    """Return how to get a folder whose `node_modules` has some packages."""

    def folder(*packages: str) -> Path:
        return fetched(_name("node", packages), lambda folder: _install_node(folder, packages))

    return folder


def _name(kind: str, wanted: tuple[str, ...]) -> str:
    return f"{kind}-{hashlib.sha256(' '.join(wanted).encode()).hexdigest()[:12]}"


def _install_python(folder: Path, requirements: tuple[str, ...]) -> None:
    _install(sys.executable, "-m", "venv", "--clear", str(folder))
    _install(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements)


def _install_node(folder: Path, packages: tuple[str, ...]) -> None:
    _install("npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *packages)


def _install(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
