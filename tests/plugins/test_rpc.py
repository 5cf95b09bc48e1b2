"""Prove the GPU backend that a stranger adds: which servers it uses, and a real model split over two of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from corral_rpc import child
from corral_rpc.probe import describe, discover
from corral_rpc.servers import Server, check, read_servers
from fetched import fetched

from corral.devices import Absent, DeviceKind
from corral.errors import InvalidOption, LoadFailed, Refused
from corral.settings import Settings
from corral_llama_cpp.probe_wire import Listed, Listing

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SPLIT = ROOT / "tests" / "fakes" / "rpc_split.py"
LLAMA = "llama-cpp-python==0.3.36"
MIB = 1024 * 1024


def test_servers_are_read_with_what_they_shall_lend() -> None:
    servers = read_servers({"CORRAL_RPC_SERVERS": "127.0.0.1:50052, gpu-box:1=512,"})

    assert servers == [Server("127.0.0.1", 50052), Server("gpu-box", 1, 512 * MIB)]


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "host:0", "host:65536", "host:port", "[::1]:5", "a b:1", "host:1=x", "host:1=-1", "-x:1", "host:1;ls"]
)
def test_what_is_no_server_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidOption, match="CORRAL_RPC_SERVERS"):
        read_servers({"CORRAL_RPC_SERVERS": text})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost"])
def test_servers_of_this_machine_are_used(host: str) -> None:
    check(Server(host, 50052), {})


@pytest.mark.parametrize("host", ["10.0.0.5", "0.0.0.0", "localhost.evil.example", "2130706433", "8.8.8.8", "gpu-box"])
def test_servers_elsewhere_are_refused(host: str) -> None:
    """CVE-2024-42477 and its successors: whoever speaks to such a server can run code there, and it can do the same to us."""
    with pytest.raises(Refused, match="CORRAL_RPC_ALLOW"):
        check(Server(host, 50052), {})


def test_a_server_elsewhere_can_be_allowed_by_name_and_port() -> None:
    allowed = {"CORRAL_RPC_ALLOW": "gpu-box:50052"}
    check(Server("gpu-box", 50052), allowed)

    with pytest.raises(Refused):
        check(Server("gpu-box", 50053), allowed)


@pytest.mark.parametrize(
    ("servers", "words"),
    [("", "no server is named"), ("nonsense", "is no host:port"), ("10.0.0.5:50052", "is not on this machine")],
)
def test_without_a_server_to_use_there_is_a_reason(servers: str, words: str) -> None:
    (reason,) = discover(Settings(), {"CORRAL_RPC_SERVERS": servers})

    assert isinstance(reason, Absent)
    assert words in reason.reason


def test_a_llama_cpp_without_rpc_says_how_to_build_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "contrib" / "corral-rpc"))
    (reason,) = discover(Settings(), {"CORRAL_RPC_SERVERS": "127.0.0.1:9"})

    assert isinstance(reason, Absent)
    assert "CMAKE_ARGS=-DGGML_RPC=ON" in reason.reason


def listed(backend: str, ordinal: int) -> Listed:
    name, kind = (f"RPC{ordinal}", 1) if backend == "RPC" else ("CPU", 0)
    return Listed(
        ordinal=ordinal, backend=backend, name=name, description=name, type=kind, pci_id=None, free_bytes=800 * MIB, total_bytes=900 * MIB
    )


def test_devices_are_numbered_as_the_runner_will_number_them() -> None:
    first, second = Server("127.0.0.1", 1), Server("127.0.0.1", 2, 512 * MIB)
    answers = {
        first: Listing([listed("cpu", 0), listed("RPC", 0), listed("RPC", 1)]),
        second: Listing([listed("cpu", 0), listed("RPC", 0)]),
    }
    devices = describe(answers)

    assert [(device.name, device.id, device.free_bytes) for device in devices] == [
        ("RPC0", "127.0.0.1:1/0", 800 * MIB),
        ("RPC1", "127.0.0.1:1/1", 800 * MIB),
        ("RPC2", "127.0.0.1:2/0", 512 * MIB),
        ("CPU", "cpu", None),
    ]
    assert {device.environment["CORRAL_RPC_CONNECT"] for device in devices[:3]} == {"127.0.0.1:1,127.0.0.1:2"}
    assert {device.kind for device in devices} == {DeviceKind.GPU, DeviceKind.CPU}
    assert all(device.runners == {"llama-cpp-rpc"} for device in devices)


def test_a_runner_checks_the_servers_that_it_is_told_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORRAL_RPC_CONNECT", "10.0.0.5:50052")

    with pytest.raises(LoadFailed, match="is not on this machine"):
        child.connect()


def test_the_guide_shows_the_plugin_as_it_is() -> None:
    page = (ROOT / "docs" / "adding-a-gpu-backend.md").read_text()
    shown = re.search(r"<!-- contrib/corral-rpc/corral_rpc/__init__.py -->\n```python\n(.*?)```", page, re.DOTALL)

    assert shown is not None
    assert shown[1] == (ROOT / "contrib" / "corral-rpc" / "corral_rpc" / "__init__.py").read_text()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Install the plugin into a folder, and a llama.cpp with RPC into the cache; return both folders."""
    llama = fetched("llama-rpc-0.3.36", _install_llama)
    plugin = tmp_path_factory.mktemp("site")
    pip(plugin, "--no-deps", "--no-build-isolation", str(ROOT / "contrib" / "corral-rpc"))
    return [llama, plugin]


def _install_llama(folder: Path) -> None:
    # pip's cache does not tell builds apart by CMAKE_ARGS and would give the plain one.
    options = ["--no-deps", "--no-cache-dir", "--no-binary", "llama-cpp-python"]
    pip(folder, *options, LLAMA, CMAKE_ARGS="-DGGML_RPC=ON")


def pip(target: Path, *arguments: str, **environment: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target", str(target)]
    subprocess.run([*command, *arguments], env={**os.environ, **environment}, check=True)


@contextmanager
def lending(environment: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Run an RPC server and yield its address and process id."""
    command = [sys.executable, "-m", "corral_rpc.serve", "127.0.0.1:0", "--threads", "1"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            line = server.stderr.readline()
            assert line.startswith("lending "), line
            yield line.split()[1], server.pid
        finally:
            server.kill()


@pytest.fixture(scope="module")
def outcome(site: list[Path], smollm2_path: Path) -> dict[str, Any]:
    """Split SmolLM2 over two servers in every way, once."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, site))}
    with lending(environment) as (first, first_pid), lending(environment) as (second, second_pid):
        command = [sys.executable, str(SPLIT), str(smollm2_path), first, str(first_pid), second, str(second_pid)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.long
@pytest.mark.model
@pytest.mark.parametrize("way", ["full", "partial"])
def test_a_split_model_says_what_it_says_on_the_processor(outcome: dict[str, Any], way: str) -> None:
    assert outcome[way]["text"] == outcome["cpu"]
    assert len(outcome["cpu"]) > 10


@pytest.mark.long
@pytest.mark.model
def test_both_servers_hold_layers_and_the_processor_the_rest(outcome: dict[str, Any]) -> None:
    full, partial = outcome["full"], outcome["partial"]

    assert set(full["layers"]) == set(partial["layers"]) == {"RPC0", "RPC1"}
    assert (sum(full["layers"].values()), full["reason"]) == (31, "")
    assert 0 < sum(partial["layers"].values()) < 31
    # What would take the output layer's room are blocks, and what it says stays the same.
    assert (full["output_on_host"], partial["output_on_host"]) == (False, True)
    assert f"{sum(partial['layers'].values())} of 31 layers" in partial["reason"]


@pytest.mark.long
@pytest.mark.model
@pytest.mark.parametrize("way", ["full", "partial"])
def test_each_server_takes_the_memory_that_was_planned(outcome: dict[str, Any], way: str) -> None:
    """The plan's buffers for a batch are an upper bound; weights and cache are exact."""
    for server, planned in outcome[way]["planned"].items():
        assert planned * 0.7 < outcome[way]["real"][server] < planned * 1.05


@pytest.mark.long
@pytest.mark.model
def test_one_server_is_used_where_one_is_enough(outcome: dict[str, Any]) -> None:
    assert outcome["one"] == {"RPC0": 31}


@pytest.mark.long
@pytest.mark.model
def test_what_is_too_big_is_refused_with_both_figures(outcome: dict[str, Any]) -> None:
    assert outcome["too big"]["required"] > 90 * MIB
    assert outcome["too big"]["available"] > 0
    assert re.search(r"\b\d of 31 layers", outcome["too big"]["message"])


@pytest.mark.long
@pytest.mark.model
def test_a_server_that_is_lost_ends_the_request_with_its_name(outcome: dict[str, Any]) -> None:
    """F22, F40, F101: the device goes away below a loaded model."""
    assert "aborted (SIGABRT)" in outcome["lost"]
    assert "Remote RPC server crashed" in outcome["lost"]
