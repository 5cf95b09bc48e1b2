"""Ask a server over HTTP and note when each piece of its answer came."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from servers import MODEL

if TYPE_CHECKING:
    from servers import Server

WORDS = (
    *("llama", "herd", "mountain", "river", "stone", "wool", "market", "bridge", "valley", "weather", "signal", "garden"),
    *("engine", "paper", "window", "winter", "copper", "basket", "ladder", "harbor", "candle", "thunder", "mirror", "cotton"),
)


@dataclass
class Reply:
    """One streamed answer; times are seconds after the request was sent."""

    sent: float
    times: list[float] = field(default_factory=list)
    text: str = ""
    tokens: int = 0
    prompt_tokens: int = 0

    @property
    def first_s(self) -> float:
        """Return the time to the first piece."""
        return self.times[0]

    @property
    def total_s(self) -> float:
        """Return the time to the last piece."""
        return self.times[-1]

    @property
    def gaps_s(self) -> list[float]:
        """Return the times between pieces."""
        return [later - earlier for earlier, later in zip(self.times, self.times[1:], strict=False)]


def words(seed: object, count: int) -> str:
    chooser = random.Random(str(seed))
    return " ".join(chooser.choice(WORDS) for _ in range(count))


async def chat(server: Server, messages: list[dict[str, object]], tokens: int, **more: object) -> Reply:
    """Stream a chat through the OpenAI API, at temperature 0."""
    asked = {"model": MODEL, "messages": messages, "max_tokens": tokens, "temperature": 0, **more}
    body = {**asked, "stream": True, "stream_options": {"include_usage": True}}
    return await _stream(server, "/v1/chat/completions", body)


async def user_chat(server: Server, text: str, tokens: int) -> Reply:
    return await chat(server, [{"role": "user", "content": text}], tokens)


async def continue_text(server: Server, text: str, tokens: int, *, drafts: bool = True) -> Reply:
    """Stream the plain continuation of a text, at temperature 0, through each server's own API."""
    if server.name == "corral":
        options = {"temperature": 0, "num_predict": tokens, "draft_num_predict": -1 if drafts else 0}
        return await _stream(server, "/api/generate", {"model": MODEL, "prompt": text, "raw": True, "options": options})
    body = {"prompt": text, "n_predict": tokens, "temperature": 0, "stream": True, "repeat_penalty": 1.0}
    return await _stream(server, "/completion", body)


async def _stream(server: Server, path: str, body: dict[str, object]) -> Reply:
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: application/json\r\n"
    reply = Reply(perf_counter())
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**22)
    writer.write(f"{head}Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data)
    status = await reader.readline()
    if b" 200 " not in status:
        raise SystemExit(f"{server.name}: {status.decode().strip()}: {(await reader.read()).decode()[-500:]}")
    async for line in reader:
        found = line.strip().removeprefix(b"data:").strip()
        if found.startswith(b"{"):
            _read(json.loads(found), reply)
    writer.close()
    if not reply.times:
        raise SystemExit(f"{server.name} answered nothing")
    return reply


def _read(piece: dict[str, object], reply: Reply) -> None:
    """Take one event of any of the three APIs."""
    choices = piece.get("choices") or [{}]
    text = (choices[0].get("delta") or {}).get("content") or piece.get("response") or piece.get("content") or ""
    if text:
        reply.text += text
        reply.times.append(perf_counter() - reply.sent)
    usage = piece.get("usage") or {}
    reply.tokens = usage.get("completion_tokens") or piece.get("eval_count") or piece.get("tokens_predicted") or reply.tokens
    reply.prompt_tokens = usage.get("prompt_tokens") or piece.get("prompt_eval_count") or reply.prompt_tokens
