"""Start corral, and llama.cpp's own C++ server (from the xllamacpp wheel) beside it: same file, threads and context."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The name that the model gets in corral; the peer takes any.
MODEL = "bench"
READY_S = 120.0
PEER = """
import signal, sys, xllamacpp
path, port, slots, context, threads, unified = sys.argv[1], *map(int, sys.argv[2:])
params = xllamacpp.CommonParams()
params.model.path, params.n_ctx, params.n_parallel = path, context * slots, slots
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
params.kv_unified = bool(unified)
params.port, params.hostnames = port, ["127.0.0.1"]
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
signal.sigwait({signal.SIGTERM, signal.SIGINT})
"""


@dataclass(frozen=True)
class Server:
    """A running server; `pid` is the process that was started."""

    name: str
    port: int
    pid: int
    started_s: float

    def resident_bytes(self) -> dict[str, int]:
        """Return the memory of the process and of its children, by command line."""
        process = psutil.Process(self.pid)
        found = {"server": process.memory_info().rss}
        for child in process.children(recursive=True):
            kind = "runner" if "corral_llama_cpp.child" in child.cmdline() else "other"
            found[kind] = found.get(kind, 0) + child.memory_info().rss
        return found


@dataclass(frozen=True)
class Setup:
    """What both servers are given; `context` is in tokens per slot. `unified` gives the peer one cache for all, as corral has."""

    model: Path
    slots: int = 8
    context: int = 2048
    threads: int = 2
    unified: bool = False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def corral(setup: Setup) -> Iterator[Server]:
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        modelfile = Path(home) / "Modelfile"
        modelfile.write_text(f"FROM {setup.model}\nPARAMETER num_thread {setup.threads}\nPARAMETER num_ctx {setup.context}\n")
        environment = {
            **os.environ,
            "CORRAL_HOME": home,
            "CORRAL_MODELS": f"{home}/models",
            "CORRAL_HOST": f"127.0.0.1:{port}",
            "CORRAL_NUM_PARALLEL": str(setup.slots),
            "CORRAL_KEEP_ALIVE": "-1",
            "CORRAL_LOG": "error",
        }
        command = [sys.executable, "-m", "corral"]
        with _running("corral", [*command, "serve"], port, "/api/version", environment) as server:
            subprocess.run([*command, "create", MODEL, "-f", str(modelfile)], env=environment, check=True, capture_output=True)
            yield server


@contextmanager
def peer(setup: Setup) -> Iterator[Server]:
    port = free_port()
    figures = [str(int(number)) for number in (port, setup.slots, setup.context, setup.threads, setup.unified)]
    command = [sys.executable, "-c", PEER, str(setup.model), *figures]
    with _running("llama-server", command, port, "/health", dict(os.environ)) as server:
        yield server


@contextmanager
def both(setup: Setup) -> Iterator[tuple[Server, Server]]:
    """Run both; the one that is not asked sleeps."""
    with corral(setup) as ours, peer(setup) as theirs:
        yield ours, theirs


@contextmanager
def _running(name: str, command: list[str], port: int, path: str, environment: dict[str, str]) -> Iterator[Server]:
    started = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_ready(f"http://127.0.0.1:{port}{path}", process)
            yield Server(name, port, process.pid, time.perf_counter() - started)
        finally:
            process.send_signal(signal.SIGTERM)


def _wait_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError) as error:
            if process.poll() is not None:
                raise SystemExit(f"{url} never answered: the process ended with {process.returncode}") from error
            time.sleep(0.02)
    raise SystemExit(f"{url} did not answer within {READY_S:.0f} s")


def arguments(description: str, *, pairs: int = 5) -> argparse.ArgumentParser:
    """Return a parser with what every benchmark takes; from here on a SIGTERM ends the servers, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("model", type=Path, help="a GGUF file")
    parser.add_argument("--pairs", type=int, default=pairs, help="how often each server is asked, in turn")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser
