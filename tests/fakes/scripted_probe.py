"""A probe child of a machine with two CUDA GPUs, one Vulkan GPU and a processor, whose faults are named in the environment.

`PROBE_FAULTS` is JSON: what `list` does, and what the test of each device does ("CUDA1": "segfault").
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

from corral.workers.child import Channel, attach
from corral.workers.frames import Failure, Progress, Ready
from corral_llama_cpp.probe_wire import Listed, Listing

GIB = 1024**3
GPUS = [("CUDA", 0), ("CUDA", 1), ("Vulkan", 0)]


def main() -> None:
    line: Channel[object] = attach(())
    line.send(Progress(0.0))
    kind, *rest = sys.argv[1:]
    fault = json.loads(os.environ.get("PROBE_FAULTS", "{}")).get("list" if kind == "list" else rest[1], "")
    if fault and not (kind == "list" and hidden("CUDA")):
        misbehave(line, fault)
    line.send(Ready(Listing(all_devices()) if kind == "list" else prove(*rest)))


def hidden(backend: str) -> bool:
    return os.environ.get("CUDA_VISIBLE_DEVICES" if backend == "CUDA" else "GGML_VK_VISIBLE_DEVICES") == "-1"


def all_devices() -> list[Listed]:
    gpus = [device(backend, ordinal, f"{backend}{ordinal}") for backend, ordinal in GPUS if not hidden(backend)]
    return [*gpus, device("cpu", 0, "CPU", kind=0), device("BLAS", 0, "BLAS", kind=3, total=0)]


def prove(backend: str, name: str, pci_id: str) -> Listed:
    variable = {"CUDA": "CUDA_VISIBLE_DEVICES", "Vulkan": "GGML_VK_VISIBLE_DEVICES"}.get(backend)
    ordinal = int(os.environ[variable]) if variable else 0
    assert name == (f"{backend}{ordinal}" if variable else "CPU"), "it is not alone"
    return device(backend, 0, f"{backend}0")


def device(backend: str, ordinal: int, name: str, *, kind: int = 1, total: int = 8 * GIB) -> Listed:
    pci_id = f"0000:{ordinal + 1:02x}:00.0" if kind == 1 else None
    return Listed(
        ordinal=ordinal, backend=backend, name=name, description=name, type=kind, pci_id=pci_id, free_bytes=total // 2, total_bytes=total
    )


def misbehave(line: Channel[object], fault: str) -> None:
    match fault:
        case "segfault":
            os.write(2, b"CUDA error: no kernel image is available for execution on the device\n")
            os.kill(os.getpid(), signal.SIGSEGV)
        case "abort":
            os.write(2, b"GGML_ASSERT(buffer) failed\n")
            os.abort()
        case "hang":
            threading.Event().wait()
        case "hang, deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            threading.Event().wait()
        case "garbage":
            line._line.sendall(b"\x00\x00\x00\x09[N/A] MiB")
            threading.Event().wait()
        case "partial":
            line._line.sendall(b"\x00\x00\xff\xff{")
            os._exit(0)
        case "huge":
            line._line.sendall(b"\x7f\xff\xff\xff" + b"x" * 100_000)
            threading.Event().wait()
        case "strange":
            line.send(Ready({"devices": [{"name": None}]}))
            threading.Event().wait()
        case "quiet":
            os._exit(0)
        case _:
            line.send(Failure(fault))
            sys.exit(1)


main()
