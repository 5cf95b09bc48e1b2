"""Which servers are used, and which are refused."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.errors import InvalidOption, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVERS = "CORRAL_RPC_SERVERS"
ALLOW = "CORRAL_RPC_ALLOW"
#: What a runner's child is told to connect to: servers that have been checked, in the order that numbers their devices.
CONNECT = "CORRAL_RPC_CONNECT"

_MIB = 1024 * 1024
_SERVER = re.compile(r"([a-z0-9][a-z0-9.-]*):(\d{1,5})(?:=(\d{1,9}))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Server:
    """An RPC server, and how many bytes of it may be used (None is all)."""

    host: str
    port: int
    limit_bytes: int | None = None

    @property
    def endpoint(self) -> str:
        """Return the server as llama.cpp writes it."""
        return f"{self.host}:{self.port}"


def read_servers(environment: Mapping[str, str], variable: str = SERVERS) -> list[Server]:
    """Return the servers that a variable names; raise InvalidOption for what is none."""
    texts = [text.strip() for text in environment.get(variable, "").split(",")]
    return [_read(text, variable) for text in texts if text]


def check(server: Server, environment: Mapping[str, str]) -> None:
    """Raise Refused for a server that is neither on this machine nor allowed by name."""
    allowed = {other.endpoint for other in read_servers(environment, ALLOW)}
    if not _is_here(server.host) and server.endpoint not in allowed:
        raise Refused(
            f"the RPC server {server.endpoint} is not on this machine, and whoever is between could read and change everything; "
            f"tunnel it (ssh -L), or allow it by name in {ALLOW}"
        )


def _read(text: str, variable: str) -> Server:
    found = _SERVER.fullmatch(text)
    if found is None or not 0 < int(found[2]) <= 65535:
        raise InvalidOption(f"{variable}: '{text}' is no host:port and no host:port=MiB")
    return Server(found[1].lower(), int(found[2]), int(found[3]) * _MIB if found[3] else None)


def _is_here(host: str) -> bool:
    # A name could resolve to another address tomorrow, so only localhost is taken for this machine.
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
