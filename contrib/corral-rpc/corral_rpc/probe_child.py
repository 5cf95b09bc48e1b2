"""The disposable child that connects to one server, named on its command line, and computes on each of its devices."""

from __future__ import annotations

import sys

from corral.errors import CorralError
from corral.workers.child import Channel, attach
from corral.workers.frames import Failure, Progress, Ready
from corral_llama_cpp.probe_wire import Listed, Listing
from corral_rpc.library import Rpc


def main(endpoint: str) -> None:
    """Answer with Ready, whose info is a Listing of the processor and the server's devices, or with Failure."""
    line: Channel[object] = attach(())
    line.send(Progress(0.0))
    try:
        line.send(Ready(Listing(_proven(endpoint))))
    except CorralError as error:
        line.send(Failure(str(error)))


def _proven(endpoint: str) -> list[Listed]:
    rpc = Rpc()
    rpc.connect([endpoint])
    devices = [device for device in rpc.ggml.list_devices() if device.backend in ("RPC", "cpu")]
    for device in devices:
        rpc.ggml.compute_on(device.name)
    return devices


if __name__ == "__main__":
    main(sys.argv[1])
