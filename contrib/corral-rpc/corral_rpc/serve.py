"""Lend a device of this machine: `python -m corral_rpc.serve [HOST:PORT] [--device NAME] [--threads N]`."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
import time

from corral.errors import CorralError
from corral_rpc.library import Rpc
from corral_rpc.servers import Server, check, read_servers

_PATIENCE_S = 30.0


def main() -> None:
    """Serve until killed; port 0 takes a free one, and the address is printed when clients can connect."""
    parser = argparse.ArgumentParser(prog="python -m corral_rpc.serve", description="Lend a device over llama.cpp's RPC.")
    parser.add_argument("address", nargs="?", default="127.0.0.1:0")
    parser.add_argument("--device", default="CPU")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    try:
        _serve(arguments.address, arguments.device, arguments.threads)
    except CorralError as error:
        sys.exit(str(error))


def _serve(address: str, device: str, threads: int) -> None:
    host, _, port = address.rpartition(":")
    endpoint = f"{host}:{_free_port(host) if port == '0' else port}"
    (server,) = read_servers({"address": endpoint}, "address")
    check(server, os.environ)
    rpc = Rpc()
    threading.Thread(target=_announce, args=(server,), daemon=True).start()
    rpc.serve(server.endpoint, device, threads)


def _announce(server: Server) -> None:
    """Print the address once something answers there; the library does not tell."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        try:
            socket.create_connection((server.host, server.port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
            continue
        print(f"lending {server.endpoint}", file=sys.stderr, flush=True)  # noqa: T201 - stdout is the library's
        return


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":
    main()
