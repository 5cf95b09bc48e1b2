"""Ask a running server for what the house can do."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Self

from corral.client import reading, schema, writing
from corral.client.connection import Connection
from corral.errors import CorralError
from corral.fetching import Progress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from corral.api import CreateRequest, ModelSummary, Request
    from corral.client.views import LoadedModel, ShownModel
    from corral.conversation import Json
    from corral.events import Event

_CHUNK_BYTES = 1024 * 1024


class Client:
    """A running server. Methods raise the errors that the server had, by its words."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    def at(cls, url: str, *, api_key: str = "") -> Client:
        """Return a client of the server at a URL; nothing is sent yet."""
        return cls(Connection(url, api_key=api_key))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._connection.__aexit__(kind, error, trace)

    async def version(self) -> str:
        """Return the server's version of corral; empty when the server is something else, such as an Ollama."""
        return (await self._connection.ask("GET", "/api/version", schema.VersionAnswer)).corral

    async def summaries(self) -> list[ModelSummary]:
        """Return all installed models, newest first."""
        answer = await self._connection.ask("GET", "/api/tags", schema.TagsAnswer)
        return [reading.summary(tag) for tag in answer.models]

    async def running(self) -> list[LoadedModel]:
        """Return the loaded models."""
        answer = await self._connection.ask("GET", "/api/ps", schema.PsAnswer)
        return [reading.loaded(model) for model in answer.models]

    async def show(self, name: str, *, verbose: bool = False) -> ShownModel:
        """Return everything known about an installed model."""
        body: Mapping[str, Json] = {"model": name, "verbose": verbose}
        return reading.shown(await self._connection.ask("POST", "/api/show", schema.ShowAnswer, body))

    async def copy(self, source: str, destination: str) -> None:
        """Give a model a second name."""
        await self._connection.tell("POST", "/api/copy", {"source": source, "destination": destination})

    async def delete(self, name: str) -> None:
        """Remove a name, and the blobs that no other name needs."""
        await self._connection.tell("DELETE", "/api/delete", {"model": name})

    def pull(self, reference: str) -> AsyncIterator[Progress]:
        """Fetch a model from its source, telling of each step."""
        return self._progress("/api/pull", {"model": reference, "stream": True})

    def create(self, request: CreateRequest) -> AsyncIterator[Progress]:
        """Make a model of blobs or of another model, telling of each step."""
        return self._progress("/api/create", {**writing.create_body(request), "stream": True})

    async def _progress(self, path: str, body: Mapping[str, Json]) -> AsyncIterator[Progress]:
        async with aclosing(self._connection.lines(path, body, schema.ProgressLine)) as lines:
            async for line in lines:
                if line.error:
                    raise CorralError(line.error)
                yield Progress(line.status, line.digest, line.total, line.completed)

    async def has_blob(self, digest: str) -> bool:
        """Return whether the server has a blob."""
        return await self._connection.exists(f"/api/blobs/{digest}")

    async def add_blob(self, digest: str, path: Path) -> None:
        """Send a file to the server, which verifies it."""
        await self._connection.upload(f"/api/blobs/{digest}", _chunks(path))

    async def answer(self, request: Request) -> AsyncIterator[Event]:
        """Yield the events of an answer; the last one is a Finish. Closing the iterator cancels the request."""
        path, body = ("/api/chat", writing.chat_body(request))
        if request.raw is not None:
            path, body = ("/api/generate", writing.generate_body(request))
        reader = reading.AnswerReader()
        async with aclosing(self._connection.lines(path, body, schema.AnswerLine)) as lines:
            async for line in lines:
                for event in reader.events(line):
                    yield event
        if not reader.finished:
            raise CorralError("the server ended the answer in the middle")

    async def embed(self, model: str, text: str) -> Sequence[float]:
        """Return the vector of a text."""
        answer = await self._connection.ask("POST", "/api/embed", schema.EmbedAnswer, {"model": model, "input": text})
        return answer.embeddings[0]

    async def load(self, model: str, keep_alive_s: float | None = None) -> None:
        """Load a model if it is not, and set its keep-alive."""
        body: dict[str, Json] = {"model": model, "stream": False}
        if keep_alive_s is not None:
            body["keep_alive"] = writing.keep_alive_json(keep_alive_s)
        await self._connection.tell("POST", "/api/generate", body)

    async def unload(self, model: str) -> None:
        """Let a model go as soon as it is idle."""
        await self.load(model, keep_alive_s=0)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield chunk
