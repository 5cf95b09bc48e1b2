"""What a registry promises, and what it is not trusted with: addresses, tokens, lengths and digests."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from corral.errors import SourceError, Unsupported
from corral.fetching import Part
from corral.library import DiskLibrary
from corral.plugins import PluginHost
from corral.store import Store
from corral.testing import tiny_gguf
from corral_ollama_registry import source as source_module
from corral_ollama_registry.connection import Policy, get
from corral_ollama_registry.source import RegistrySource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MODEL = "application/vnd.ollama.image.model"
CONFIG = "application/vnd.docker.container.image.v1+json"

Answer = tuple[int, dict[str, str], bytes]


class FakeRegistry:
    """A registry on the loopback interface; `answers` overrides what a path gives, `seen` are the requests."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.answers: dict[str, Callable[[dict[str, str]], Answer | None]] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                headers = {key.lower(): value for key, value in self.headers.items()}
                registry.seen.append((self.path, headers))
                status, more, body = registry.answer(self.path, headers)
                self.send_response(status)
                for key, value in {"Content-Length": str(len(body)), **more}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.host = f"127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, headers: dict[str, str]) -> Answer:
        override = self.answers.get(path.partition("?")[0])
        if override and (answer := override(headers)):
            return answer
        if path in self.manifests:
            return 200, {}, self.manifests[path]
        if path not in self.blobs:
            return 404, {}, b"no"
        start = int(headers.get("range", "bytes=0-")[6:].rstrip("-"))
        body = self.blobs[path]
        return (206, {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}, body[start:]) if start else (200, {}, body)

    def add(self, *blobs: tuple[str, bytes]) -> list[str]:
        """Publish library/tiny:latest made of blobs (the last is its config) and return the paths of the blobs."""
        entries = [{"mediaType": kind, "digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)} for kind, data in blobs]
        *layers, config = entries
        self.manifests["/v2/library/tiny/manifests/latest"] = json.dumps(
            {"schemaVersion": 2, "config": config, "layers": layers}, indent=3
        ).encode()
        paths = [f"/v2/library/tiny/blobs/{entry['digest']}" for entry in entries]
        self.blobs.update(zip(paths, (data for _, data in blobs), strict=True))
        return paths

    def source(self, *others: FakeRegistry) -> RegistrySource:
        hosts = ",".join(f"http://{registry.host}" for registry in (self, *others))
        return RegistrySource(f"registry:{self.host}/library/tiny:latest", Policy.read(hosts))


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    fake = FakeRegistry()
    yield fake
    fake.close()


@pytest.fixture
def elsewhere() -> Iterator[FakeRegistry]:
    fake = FakeRegistry()
    yield fake
    fake.close()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_PAUSE_S", 0.0)


def part_of(data: bytes) -> Part:
    return Part(media_type=MODEL, name="m", size=len(data), digest=f"sha256:{hashlib.sha256(data).hexdigest()}")


def fetch(source: RegistrySource, data: bytes, target: Path) -> bytes:
    source.fetch(part_of(data), target, lambda _done, _total: None)
    return target.read_bytes()


async def test_a_model_is_installed_byte_for_byte_by_its_plain_name(
    registry: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORRAL_PRIVATE_REGISTRIES", f"http://{registry.host}")
    weights = tiny_gguf(tmp_path / "m").read_bytes()
    registry.add((MODEL, weights), (MODEL.replace("model", "system"), b"Be kind."), (CONFIG, b'{"model_family":"llama","novel":1}'))
    library = DiskLibrary(Store(tmp_path / "models"), PluginHost.load())

    lines = [progress.status async for progress in library.pull(f"{registry.host}/library/tiny")]

    spec = library.resolve(f"{registry.host}/library/tiny")
    assert lines[-1] == "success"
    assert (spec.path.read_bytes(), spec.system) == (weights, "Be kind.")
    assert spec.digest == hashlib.sha256(registry.manifests["/v2/library/tiny/manifests/latest"]).hexdigest()


def test_a_model_that_is_not_there_is_told_in_ollamas_words(registry: FakeRegistry) -> None:
    with pytest.raises(SourceError, match="pull model manifest: file does not exist"):
        registry.source().resolve()


def test_models_that_are_not_gguf_are_refused_before_anything_is_fetched(registry: FakeRegistry) -> None:
    registry.add((MODEL.replace("model", "tensor"), b"x"), (CONFIG, b"{}"))

    with pytest.raises(Unsupported, match="no GGUF weights"):
        registry.source().resolve()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"config": 1, "layers": [2]}', b'{"config": {}, "layers": [{"digest": "sha256:../x"}]}']
)
def test_a_damaged_manifest_is_refused(registry: FakeRegistry, body: bytes) -> None:
    """F84, F93."""
    registry.manifests["/v2/library/tiny/manifests/latest"] = body

    with pytest.raises(SourceError, match="damaged"):
        registry.source().resolve()


def test_a_token_is_fetched_from_the_registry_and_sent_to_it_only(registry: FakeRegistry, elsewhere: FakeRegistry, tmp_path: Path) -> None:
    """F86, F87: the header is dropped on the way to another host."""
    path, _ = registry.add((MODEL, b"data"), (CONFIG, b"{}"))
    elsewhere.blobs["/direct"] = b"data"
    challenge = f'Bearer realm="http://{registry.host}/token",service="reg",scope="repository:library/tiny:pull a:b"'
    registry.answers["/v2/library/tiny/manifests/latest"] = lambda h: (
        None if h.get("authorization") == "Bearer T" else (401, {"WWW-Authenticate": challenge}, b"")
    )
    registry.answers["/token"] = lambda _: (200, {}, b'{"token": "T"}')
    registry.answers[path] = lambda _: (307, {"Location": f"http://{elsewhere.host}/direct"}, b"")
    source = registry.source(elsewhere)

    source.resolve()
    found = fetch(source, b"data", tmp_path / "target")

    assert found == b"data"
    assert ("/token?service=reg&scope=repository%3Alibrary%2Ftiny%3Apull&scope=a%3Ab") in [path for path, _ in registry.seen]
    assert registry.seen[-1][1]["authorization"] == "Bearer T"
    assert "authorization" not in elsewhere.seen[0][1]


def test_a_realm_on_another_host_is_refused(registry: FakeRegistry, elsewhere: FakeRegistry) -> None:
    """F87."""
    challenge = f'Bearer realm="http://{elsewhere.host}/token"'
    registry.answers["/v2/library/tiny/manifests/latest"] = lambda _: (401, {"WWW-Authenticate": challenge}, b"")

    with pytest.raises(SourceError, match="does not match original host"):
        registry.source(elsewhere).resolve()
    assert elsewhere.seen == []


def test_a_realm_that_is_no_address_is_refused(registry: FakeRegistry) -> None:
    registry.answers["/v2/library/tiny/manifests/latest"] = lambda _: (401, {"WWW-Authenticate": 'Bearer realm="https://[::1"'}, b"")

    with pytest.raises(SourceError, match="not an address"):
        registry.source().resolve()


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/x",
        "https://localhost/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://169.254.169.254/x",
        "file:///etc/passwd",
        "https://u:p@example.com/",
        "https://example.com:99999/",
        "https://[::1",
        "",
    ],
)
def test_a_redirect_into_the_own_network_is_refused(registry: FakeRegistry, tmp_path: Path, location: str) -> None:
    path, _ = registry.add((MODEL, b"data"), (CONFIG, b"{}"))
    registry.answers[path] = lambda _: (302, {"Location": location}, b"")

    with pytest.raises(SourceError, match=r"TLS|public address|not an address|redirects more than"):
        fetch(registry.source(), b"data", tmp_path / "target")


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "0.0.0.0", "::1", "fe80::1", "::ffff:10.0.0.1"]
)
def test_a_name_that_leads_to_the_own_network_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """F88, F89: what counts is the address that is connected to."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))])

    with pytest.raises(SourceError, match="not a public address"):
        get("https://models.example/v2/", {}, Policy.read(""))


def test_a_download_goes_on_where_it_stopped(registry: FakeRegistry, tmp_path: Path) -> None:
    data = bytes(range(256)) * 40
    path, _ = registry.add((MODEL, data), (CONFIG, b"{}"))
    (tmp_path / "target").write_bytes(data[:1000])

    assert fetch(registry.source(), data, tmp_path / "target") == data
    assert [headers.get("range") for seen, headers in registry.seen if seen == path] == ["bytes=1000-"]


def test_a_broken_line_is_picked_up_again(registry: FakeRegistry, tmp_path: Path) -> None:
    data = bytes(range(256)) * 40
    path, _ = registry.add((MODEL, data), (CONFIG, b"{}"))
    registry.answers[path] = lambda h: None if "range" in h else (200, {"Content-Length": str(len(data))}, data[:500])

    assert fetch(registry.source(), data, tmp_path / "target") == data
    assert len(registry.seen) == 2


@pytest.mark.parametrize("kind", ["416", "ignored", "short", "overlong start"])
def test_a_registry_that_gets_ranges_wrong_does_not_spoil_the_file(registry: FakeRegistry, tmp_path: Path, kind: str) -> None:
    """F90."""
    data = b"0123456789" * 50
    path, _ = registry.add((MODEL, data), (CONFIG, b"{}"))
    answers: dict[str, Answer] = {
        "416": (416, {}, b""),
        "ignored": (200, {}, data),
        "short": (206, {"Content-Range": "bytes 100-199/500"}, data[100:200]),
        "overlong start": (206, {"Content-Range": "bytes 0-499/500"}, data),
    }
    registry.answers[path] = lambda h: answers[kind] if h.get("range") == "bytes=100-" else None
    (tmp_path / "target").write_bytes(data[:100])

    assert fetch(registry.source(), data, tmp_path / "target") == data


def test_more_bytes_than_the_manifest_says_are_not_taken(registry: FakeRegistry, tmp_path: Path) -> None:
    path, _ = registry.add((MODEL, b"data"), (CONFIG, b"{}"))
    registry.blobs[path] = b"data and more"

    with pytest.raises(SourceError, match="longer than the 4 bytes"):
        fetch(registry.source(), b"data", tmp_path / "target")


def test_an_answer_that_is_compressed_is_refused(registry: FakeRegistry) -> None:
    """F85: a gzip bomb is never unpacked."""
    registry.answers["/v2/library/tiny/manifests/latest"] = lambda _: (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b")

    with pytest.raises(SourceError, match="compressed"):
        registry.source().resolve()


def test_a_manifest_without_end_is_cut_off(registry: FakeRegistry) -> None:
    registry.manifests["/v2/library/tiny/manifests/latest"] = b" " * (16 * 1024 * 1024 + 2)

    with pytest.raises(SourceError, match="over the limit"):
        registry.source().resolve()


def test_a_registry_that_stays_down_is_given_up(registry: FakeRegistry, tmp_path: Path) -> None:
    path, _ = registry.add((MODEL, b"data"), (CONFIG, b"{}"))
    registry.answers[path] = lambda _: (503, {}, b"later")

    with pytest.raises(SourceError, match="answered 503: later"):
        fetch(registry.source(), b"data", tmp_path / "target")
    assert len(registry.seen) == 4


def test_redirects_in_a_circle_end(registry: FakeRegistry, tmp_path: Path) -> None:
    path, _ = registry.add((MODEL, b"data"), (CONFIG, b"{}"))
    registry.answers[path] = lambda _: (302, {"Location": path}, b"")

    with pytest.raises(SourceError, match="more than 10 times"):
        fetch(registry.source(), b"data", tmp_path / "target")
