"""The raw bytes of every streaming shape, as reviewed against what the clients' own accumulators read.

`CORRAL_WRITE_TRANSCRIPTS=1` writes them anew; look at the difference before you keep it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from corral.errors import SourceError, Unsupported
from corral.events import (
    CallStatus,
    ContentDelta,
    Diagnostic,
    Finish,
    ThinkingDelta,
    ThinkingEnd,
    ToolCallArgsDelta,
    ToolCallEnd,
    ToolCallStart,
)
from corral.fetching import Progress
from corral.testing.api import USAGE, ScriptedEngine
from corral_api.anthropic.app import build_app as anthropic_app
from corral_api.ollama.app import build_app as ollama_app
from corral_api.openai.app import build_app as openai_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from quart import Quart

TRANSCRIPTS = Path(__file__).parent / "transcripts"

FULL = [
    Diagnostic("history_truncated", "1 oldest turns were dropped to fit the context"),
    ThinkingDelta("Let me "),
    ThinkingDelta("think."),
    ThinkingEnd(),
    ContentDelta("Größe: <b> & "),
    ContentDelta("“x”\n"),
    ToolCallStart(0, "get_weather", "call_aaaaaaaa"),
    ToolCallArgsDelta(0, '{"city": '),
    ToolCallArgsDelta(0, '"Köln"}'),
    ToolCallEnd(0, "get_weather", {"city": "Köln"}, id="call_aaaaaaaa"),
    ToolCallEnd(1, "noop", {}, CallStatus.REPAIRED, id="call_bbbbbbbb"),
    ToolCallEnd(2, "", {}, CallStatus.MALFORMED, raw="<tool_call>{"),
    Finish("stop", USAGE),
]
BROKEN = [ContentDelta("Hel"), Unsupported("the model stopped: out of memory")]

MESSAGES = [{"role": "user", "content": "hi"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather"}}]

CASES: dict[str, tuple[Callable[[ScriptedEngine], Quart], str, dict[str, object]]] = {
    "ollama_chat": (ollama_app, "/api/chat", {"messages": MESSAGES, "tools": TOOLS}),
    "ollama_generate": (ollama_app, "/api/generate", {"prompt": "hi"}),
    "openai_chat": (openai_app, "/v1/chat/completions", {"messages": MESSAGES, "tools": TOOLS, "stream_options": {"include_usage": True}}),
    "openai_completions": (openai_app, "/v1/completions", {"prompt": "hi"}),
    "openai_responses": (openai_app, "/v1/responses", {"input": "hi"}),
    "anthropic_messages": (anthropic_app, "/v1/messages", {"messages": MESSAGES, "max_tokens": 9}),
}


async def transcript(app: Quart, path: str, body: dict[str, object]) -> str:
    response = await app.test_client().post(path, json={"model": "test", "stream": True, **body})
    head = f"{response.status_code} {response.content_type}\n"
    notes = "".join(f"{name}: {value}\n" for name, value in sorted(response.headers) if name.startswith("x-corral"))
    return head + notes + "\n" + masked((await response.get_data()).decode())


def masked(text: str) -> str:
    """Replace what is different every time."""
    text = re.sub(r'"(created_at|completed_at|created)":("[^"]*"|\d+)', r'"\1":NOW', text)
    return re.sub(r"\b(chatcmpl-|cmpl-|resp_|msg_|rs_|fc_)[0-9a-f]{24}", r"\1ID", text)


def check(name: str, text: str) -> None:
    file = TRANSCRIPTS / f"{name}.txt"
    if os.environ.get("CORRAL_WRITE_TRANSCRIPTS"):
        file.write_text(text, newline="")
    assert text == file.read_text()


@pytest.mark.parametrize("name", CASES)
async def test_a_full_answer_is_written_as_ever(name: str) -> None:
    build, path, body = CASES[name]

    check(name, await transcript(build(ScriptedEngine(FULL)), path, body))


@pytest.mark.parametrize("name", CASES)
async def test_an_answer_that_breaks_off_says_so_in_the_words_of_its_dialect(name: str) -> None:
    build, path, body = CASES[name]

    check(f"{name}_broken", await transcript(build(ScriptedEngine(BROKEN)), path, body))


async def test_progress_is_written_as_ever() -> None:
    engine = ScriptedEngine()
    digest = "sha256:" + "ab" * 32
    engine.library.steps = [
        Progress("pulling manifest"),
        Progress("pulling abababababab", digest, 100),
        Progress("pulling abababababab", digest, 100, 60),
        SourceError("the index does not answer"),
    ]

    check("ollama_pull", await transcript(ollama_app(engine), "/api/pull", {}))
