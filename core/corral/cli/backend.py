"""Where a command's models are: at a running server, or on this machine's disk."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from corral.cli.invocation import warn
from corral.client import Client, is_listening
from corral.errors import CorralError, Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from corral.api import CreateRequest, Library, ModelSummary, Request
    from corral.cli.invocation import Invocation
    from corral.client import ShownModel
    from corral.events import Event
    from corral.fetching import Progress

_LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0", "::"})  # noqa: S104 -- compared with, not bound


class Models(Protocol):
    """The models of a server or of a disk."""

    async def summaries(self) -> list[ModelSummary]:
        """Return all installed models, newest first."""

    async def show(self, name: str, *, verbose: bool = False) -> ShownModel:
        """Return everything known about an installed model."""

    async def copy(self, source: str, destination: str) -> None:
        """Give a model a second name."""

    async def delete(self, name: str) -> None:
        """Remove a name."""

    async def unload(self, model: str) -> None:
        """Let a model go, if it is loaded."""

    def pull(self, reference: str) -> AsyncIterator[Progress]:
        """Fetch a model from its source."""

    def create(self, request: CreateRequest) -> AsyncIterator[Progress]:
        """Make a model of blobs or of another model."""

    async def has_blob(self, digest: str) -> bool:
        """Return whether a blob is there."""

    async def add_blob(self, digest: str, path: Path) -> None:
        """Store a file as a blob."""


class Talker(Models, Protocol):
    """Models that also answer."""

    def answer(self, request: Request) -> AsyncIterator[Event]:
        """Yield the events of an answer."""

    async def embed(self, model: str, text: str) -> Sequence[float]:
        """Return the vector of a text."""

    async def load(self, model: str, keep_alive_s: float | None = None) -> None:
        """Load a model if it is not."""


def open_library(invocation: Invocation) -> Library:
    """Return the models of this machine's disk."""
    from corral import library

    return library.open_library(invocation.settings, invocation.plugins)


@asynccontextmanager
async def open_models(invocation: Invocation) -> AsyncIterator[Models]:
    """Yield the server's models, or the disk's when no server runs."""
    from corral.cli.local import OnDisk

    client = await find_server(invocation)
    if client is None:
        yield OnDisk(open_library(invocation))
        return
    async with client:
        yield client


@asynccontextmanager
async def open_talker(invocation: Invocation) -> AsyncIterator[Talker]:
    """Yield the server, or an engine in this process when no server runs."""
    from corral.cli.local import InProcess

    client = await find_server(invocation)
    if client is not None:
        async with client:
            yield client
        return
    from corral.serve.build import open_engine

    async with open_engine(invocation.settings, invocation.plugins) as engine:
        yield InProcess(engine)


async def find_server(invocation: Invocation) -> Client | None:
    """Return the server that runs where the settings say; None when there is none and this machine can do without.

    Raises CorralError when a server was asked for by name and does not answer.
    """
    settings = invocation.settings
    if await asyncio.to_thread(is_listening, settings.url):
        return await _corral_at(settings.url, invocation.api_key)
    if "host" in invocation.flags or settings.address[0] not in _LOCAL_HOSTS:
        raise CorralError(f"no server answers at {settings.url} (start one with: corral serve)")
    return None


async def require_server(invocation: Invocation) -> Client:
    """Return the server, or raise CorralError: what was asked for makes sense only where models are loaded."""
    if client := await find_server(invocation):
        return client
    raise CorralError(f"no corral server answers at {invocation.settings.url} (start one with: corral serve)")


async def _corral_at(url: str, api_key: str) -> Client | None:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Client.at(url, api_key=api_key))
        if await _is_corral(client):
            stack.pop_all()
            return client
    warn(f"the server at {url} is not corral; going on without it (another address: --host, CORRAL_HOST)")
    return None


async def _is_corral(client: Client) -> bool:
    """Return whether a server is ours; raise Refused when it is and wants a key."""
    try:
        return bool(await client.version())
    except Refused:
        raise
    except CorralError:
        return False
