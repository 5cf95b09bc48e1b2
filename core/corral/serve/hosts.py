"""Which `Host` a request may name. A page of somebody else's that points its own name at this machine is turned away."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Names that no public DNS gives out: RFC 6761, RFC 6762, and ICANN's .internal (host.docker.internal and the like).
_LOCAL_ENDINGS = (".localhost", ".local", ".internal")


class HostRule:
    """Tells whether a Host header names this server. It holds on every bind, loopback or not."""

    def __init__(self, extra: Iterable[str] = ()) -> None:
        self._names = frozenset({"localhost", socket.gethostname().lower(), *(name.lower() for name in extra)})

    def allows(self, header: str, server_ip: str = "") -> bool:
        """Return whether the header is fine; `server_ip` is the address that the connection came in on."""
        name = host_name(header)
        if name is None:
            return False
        address = _address(name)
        if address is None:
            return name in self._names or (name.endswith(_LOCAL_ENDINGS) and not name.startswith("."))
        return _is_local(address) or name in self._names or str(address) == server_ip


def host_name(header: str) -> str | None:
    """Return the name in a Host header, without the port; None when the header is malformed or names nothing."""
    if header.startswith("["):
        name, bracket, rest = header[1:].partition("]")
        return name.lower() if bracket and _is_port(rest) and ":" in name else None
    name, colon, port = header.partition(":")
    is_plain = bool(name) and all(char.isascii() and (char.isalnum() or char in "-._") for char in name)
    return name.lower() if is_plain and not name.endswith(".") and _is_port(colon + port) else None


def _is_port(text: str) -> bool:
    digits = text[1:]
    return not text or (text[0] == ":" and digits.isascii() and digits.isdigit() and int(digits) < 65536)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return None
    # ::ffff:127.0.0.1 is 127.0.0.1, and ::ffff:8.8.8.8 is as foreign as 8.8.8.8.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_local(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_loopback or address.is_private or address.is_unspecified or address.is_link_local
