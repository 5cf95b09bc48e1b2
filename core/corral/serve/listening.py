"""How the server listens, announces itself and stops."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
from typing import TYPE_CHECKING

from corral.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypercorn import Config

    from corral.keys import KeyFile
    from corral.serve.guard import Guard
    from corral.settings import Settings

#: Connections that wait to be accepted.
_BACKLOG = 2048
#: How long a connection may be idle between requests, or take to send the head of one.
_IDLE_S = 75
#: What stopping may take after the drain timeout.
_LAST_S = 5.0
#: Bytes of a request's line and headers together.
_MOST_HEAD_BYTES = 32 * 1024


def open_socket(settings: Settings, keys: KeyFile) -> socket.socket:
    """Return a listening socket; raise Refused when the address is taken, or reaches beyond this machine without keys."""
    host, port = settings.address
    _check_certificate(settings)
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise Refused(f"can't listen on {host}: {error.strerror or error}") from error
    _check_reach(str(address[0]), settings, keys)
    listener = socket.socket(family, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise Refused(_why_not(host, port, error)) from error
    return listener


def _check_certificate(settings: Settings) -> None:
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        missing = "CORRAL_TLS_KEY" if settings.tls_certificate else "CORRAL_TLS_CERTIFICATE"
        raise Refused(f"a certificate and its key belong together; {missing} is not set")


def _check_reach(ip: str, settings: Settings, keys: KeyFile) -> None:
    if ipaddress.ip_address(ip.partition("%")[0]).is_loopback or settings.unsafe_bind or keys.keys():
        return
    raise Refused(
        f"refusing to listen on {ip} without an API key: anybody who reaches it could use and change the models "
        "(add a key with 'corral keys add NAME', or set CORRAL_UNSAFE_BIND=1 if that is fine)"
    )


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{host}:{port} is in use already; is another server running? (choose another with --host or CORRAL_HOST)"
    return f"can't listen on {host}:{port}: {error.strerror or error}"


async def serve_on(
    listener: socket.socket, guard: Guard, settings: Settings, *, stop: asyncio.Event, announce: Callable[[str], None]
) -> None:
    """Serve until `stop` is set, then let answers finish for as long as the drain timeout allows."""
    from hypercorn.asyncio import serve

    announce(address_of(listener, settings))
    # Hypercorn takes the descriptor over and closes it.
    config = _config(listener.detach(), settings)
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(serve(guard, config, shutdown_trigger=stop.wait))  # type: ignore[arg-type]
        stopping = group.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        guard.is_draining = True
        await asyncio.wait({serving}, timeout=settings.drain_timeout_s)
        # Cancelled from outside, a Quart app leaves its handlers running; told that its clients are gone, it ends them.
        guard.cut()
        # From Python 3.12 on, hypercorn first waits for all connections without a limit of its own.
        await asyncio.wait({serving}, timeout=_LAST_S)
        serving.cancel()
        stopping.cancel()


def address_of(listener: socket.socket, settings: Settings) -> str:
    """Return the URL that a listening socket answers on."""
    host, port = listener.getsockname()[:2]
    scheme = "https" if settings.tls_certificate else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _config(descriptor: int, settings: Settings) -> Config:
    from hypercorn import Config

    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.backlog = _BACKLOG
    config.errorlog = logging.getLogger("corral.http")
    config.accesslog = None
    config.include_server_header = False
    config.keep_alive_timeout = _IDLE_S
    config.keep_alive_max_requests = 1_000_000
    config.h11_max_incomplete_size = _MOST_HEAD_BYTES
    config.h2_max_header_list_size = _MOST_HEAD_BYTES
    config.graceful_timeout = settings.drain_timeout_s + _LAST_S
    config.certfile = str(settings.tls_certificate) if settings.tls_certificate else None
    config.keyfile = str(settings.tls_key) if settings.tls_key else None
    return config
