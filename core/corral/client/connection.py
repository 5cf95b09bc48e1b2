"""One HTTP connection to a server: requests, streams of lines, and failures as our own errors."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import urlsplit

import httpx2
import msgspec

from corral.client.schema import ErrorAnswer
from corral.errors import Busy, CorralError, InvalidInput, NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping
    from types import TracebackType

    from corral.conversation import Json

Answer = TypeVar("Answer")

#: A socket on this machine answers at once; one in the next room within this.
LISTEN_TIMEOUT_S = 0.5

_KINDS: Mapping[int, type[CorralError]] = {400: InvalidInput, 401: Refused, 403: Refused, 404: NotFound, 503: Busy}

#: Loading a model or reading a long prompt may take minutes in silence; the person who waits can interrupt.
_TIMEOUT = httpx2.Timeout(10.0, read=None)


def is_listening(url: str) -> bool:
    """Return whether anything accepts connections at the URL's address."""
    parts = urlsplit(_reachable(url))
    try:
        with socket.create_connection((parts.hostname, parts.port or 80), timeout=LISTEN_TIMEOUT_S):
            return True
    except OSError:
        return False


def _reachable(url: str) -> str:
    """Return an address to connect to for one to listen on: not every system connects to "every interface"."""
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


class Connection:
    """Sends requests to one server; close it when done."""

    def __init__(self, url: str, *, api_key: str = "", transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self.url = url
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._http = httpx2.AsyncClient(base_url=_reachable(url), headers=headers, timeout=_TIMEOUT, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._http.aclose()

    async def ask(self, method: str, path: str, answer: type[Answer], body: Mapping[str, Json] | None = None) -> Answer:
        """Send a request and return its answer."""
        return self._decode(await self._send(method, path, body), answer)

    async def tell(self, method: str, path: str, body: Mapping[str, Json] | None = None) -> None:
        """Send a request whose answer says nothing."""
        await self._send(method, path, body)

    async def exists(self, path: str) -> bool:
        """Return whether HEAD finds something."""
        with self._failures():
            response = await self._http.head(path)
        return response.is_success

    async def upload(self, path: str, chunks: AsyncIterator[bytes]) -> None:
        """Send a body as it is produced."""
        with self._failures():
            response = await self._http.post(path, content=chunks)
        self._check(response.status_code, response.content)

    async def lines(self, path: str, body: Mapping[str, Json], line: type[Answer]) -> AsyncGenerator[Answer, None]:
        """Send a request and yield the lines of its answer as they come; closing the iterator cancels the request."""
        async with self._stream(path, body) as response:
            async for text in response.aiter_lines():
                if text.strip():
                    yield self._decode(text.encode(), line)

    @asynccontextmanager
    async def _stream(self, path: str, body: Mapping[str, Json]) -> AsyncIterator[httpx2.Response]:
        with self._failures():
            async with self._http.stream("POST", path, content=msgspec.json.encode(body)) as response:
                if not response.is_success:
                    self._check(response.status_code, await response.aread())
                yield response

    async def _send(self, method: str, path: str, body: Mapping[str, Json] | None) -> bytes:
        content = None if body is None else msgspec.json.encode(body)
        with self._failures():
            response = await self._http.request(method, path, content=content)
        self._check(response.status_code, response.content)
        return response.content

    def _check(self, status: int, body: bytes) -> None:
        if 200 <= status < 300:
            return
        kind = _KINDS.get(status, CorralError)
        raise kind(_error_text(body) or f"the server at {self.url} answered with HTTP status {status}")

    def _decode(self, body: bytes, answer: type[Answer]) -> Answer:
        try:
            return msgspec.json.decode(body, type=answer)
        except msgspec.DecodeError as error:
            raise CorralError(f"the server at {self.url} sent something unexpected: {error}") from error

    def _failures(self) -> _Failures:
        return _Failures(self.url)


class _Failures:
    """Turns what goes wrong on the way into a CorralError."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        match error:
            case httpx2.ConnectError() | httpx2.ConnectTimeout():
                raise CorralError(f"no server answers at {self._url} (start one with: corral serve)") from error
            case httpx2.HTTPError():
                raise CorralError(f"lost the server at {self._url}: {error or type(error).__name__}") from error


def _error_text(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=ErrorAnswer).error
    except msgspec.DecodeError:
        return ""
