"""The process of one model: connect to the servers of its placement, then be corral's llama.cpp runner."""

from __future__ import annotations

import os

from corral.errors import CorralError, LoadFailed
from corral_llama_cpp.child import main
from corral_rpc.servers import CONNECT, check, read_servers


def connect() -> None:
    """Connect to the servers that this process was told; raise LoadFailed when one may not be used."""
    from corral_rpc.library import Rpc

    try:
        servers = read_servers(os.environ, CONNECT)
        for server in servers:
            check(server, os.environ)
    except CorralError as error:
        raise LoadFailed(str(error)) from error
    if servers:
        Rpc().connect(server.endpoint for server in servers)


if __name__ == "__main__":
    main(prepare=connect)
