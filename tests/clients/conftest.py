"""A server that plays a script for clients that are installed for these tests only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from corral.events import ContentDelta, Finish, ToolCallArgsDelta, ToolCallEnd, ToolCallStart
from corral.keys import KeyFile
from corral.settings import Settings
from corral.testing.api import USAGE, ScriptedEngine
from corral.testing.serving import mount_plugins, serving
from corral_api import anthropic, ollama, openai

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from corral.api import Request
    from corral.events import Event

TEXT = "Let me look."


class Playwright(ScriptedEngine):
    """Calls `get_weather` when it is offered and nobody has answered yet, fills a schema when one is given, talks otherwise."""

    async def answer(self, request: Request) -> AsyncGenerator[Event, None]:
        self.script = self._script_for(request)
        async for event in super().answer(request):
            yield event

    def _script_for(self, request: Request) -> list[Event]:
        conversation = request.conversation
        if conversation.format is not None:
            return [ContentDelta('{"city": '), ContentDelta('"Paris"}'), Finish("stop", USAGE)]
        if conversation.tools and not any(message.role == "tool" for message in conversation.messages):
            return [ContentDelta("Let me "), ContentDelta("look."), *_call(_first_name(request)), Finish("stop", USAGE)]
        return [ContentDelta("Let me "), ContentDelta("look."), Finish("stop", USAGE)]


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
