"""Which addresses may be asked, and one HTTP request to such an address."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from corral.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

# Without a byte for this long a connection is dead.
_TIMEOUT_S = 30.0


class Interrupted(SourceError):
    """A connection that broke or never came about: worth another try."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Hosts of one's own network that may be asked, by `host[:port]`, with the scheme to ask them by.

    All others must have public addresses and speak TLS: a name in a request must not make corral talk to its neighbours.
    """

    private: Mapping[str, str]

    @classmethod
    def read(cls, text: str) -> Policy:
        """Read `CORRAL_PRIVATE_REGISTRIES`: comma-separated, `http://` before those that have no TLS."""
        entries = [entry.strip().rstrip("/") for entry in text.split(",") if entry.strip()]
        return cls({entry.rpartition("://")[2].lower(): entry.rpartition("://")[0].lower() or "https" for entry in entries})

    def scheme(self, host: str) -> str:
        """Return how to ask a host."""
        return self.private.get(host.lower(), "https")

    def check(self, scheme: str, host: str) -> None:
        """Raise SourceError for a host that may not be asked this way."""
        if scheme != "https" and self.private.get(host.lower()) != scheme:
            raise SourceError(f"'{scheme}://{host}' is not asked without TLS (allow it with CORRAL_PRIVATE_REGISTRIES={scheme}://{host})")

    def addresses(self, netloc: str, host: str, port: int) -> list[str]:
        """Return the addresses of a host; raise SourceError when one of them is not public."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Interrupted(f"can't find host '{host}': {error.strerror}") from error
        addresses = [str(address[0]) for *_, address in found]
        if netloc.lower() not in self.private:
            for address in addresses:
                _require_public(host, address)
        return addresses


def _require_public(host: str, address: str) -> None:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    if not (mapped or parsed).is_global:
        raise SourceError(f"'{host}' is at {address}, which is not a public address (allow it with CORRAL_PRIVATE_REGISTRIES={host})")


class Reply:
    """The answer to one request; close it, or use it as a context."""

    def __init__(self, url: str, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self.url = url
        self.status = response.status
        self.headers = response.headers
        self._connection = connection
        self._response = response

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # A connection that the server will close has let go of its response already.
        self._response.close()
        self._connection.close()

    def read(self, limit: int) -> bytes:
        """Return at most that many bytes of the body; empty at its end. Raises SourceError when the connection breaks."""
        try:
            return self._response.read(limit)
        except (OSError, http.client.HTTPException) as error:
            raise Interrupted(f"the connection to '{urlsplit(self.url).netloc}' broke: {error}") from error

    def read_all(self, limit: int) -> bytes:
        """Return the body; raise SourceError when it is longer than the limit."""
        body = self.read(limit + 1)
        if len(body) > limit:
            raise SourceError(f"the answer of '{self.url}' is over the limit of {limit} bytes")
        return body


@contextmanager
def reading_address(url: str) -> Iterator[None]:
    """Turn the complaint about an address that somebody else wrote into a SourceError."""
    try:
        yield
    except ValueError as error:
        raise SourceError(f"'{url}' is not an address of a registry: {error}") from error


def get(url: str, headers: Mapping[str, str], policy: Policy) -> Reply:
    """Ask for a URL once, without following redirects. Raises SourceError."""
    with reading_address(url):
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise SourceError(f"'{url}' is not an address of a registry")
    policy.check(parts.scheme, parts.netloc)
    connection = http.client.HTTPConnection(parts.hostname, port, timeout=_TIMEOUT_S)
    try:
        connection.sock = _connect(parts.netloc, parts.hostname, port, policy)
        if parts.scheme == "https":
            connection.sock = ssl.create_default_context().wrap_socket(connection.sock, server_hostname=parts.hostname)
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        connection.request("GET", target, headers={"Host": parts.netloc, "Accept-Encoding": "identity", **headers})
        response = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise Interrupted(f"can't reach '{parts.netloc}': {error}") from error
    except BaseException:
        connection.close()
        raise
    reply = Reply(url, connection, response)
    # A compressed body would grow beyond what its length says.
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        with reply:
            raise SourceError(f"'{parts.netloc}' answers compressed although it was asked not to")
    return reply


def _connect(netloc: str, host: str, port: int, policy: Policy) -> socket.socket:
    """Connect to an address that was checked, not to the name again: a second look-up could give another answer."""
    failure: OSError | None = None
    for address in policy.addresses(netloc, host, port):
        try:
            return socket.create_connection((address, port), timeout=_TIMEOUT_S)
        except OSError as error:
            failure = error
    raise failure or OSError("it has no address")
