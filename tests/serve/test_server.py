"""The server as a whole, over real sockets: where it listens, what it survives, how it stops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx2
import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from corral.errors import Refused
from corral.keys import KeyFile, Scope
from corral.serve.build import open_engine
from corral.serve.guard import Guard
from corral.serve.journal import read_journal
from corral.serve.listening import open_socket, serve_on
from corral.testing.api import HELLO, ScriptedEngine
from corral.testing.plugins import load_plugin
from corral.testing.serving import mount_plugins, serving
from corral_api import ollama

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from corral.serve.mount import Mount
    from corral.settings import Settings

CHAT = {"model": "test", "messages": [{"role": "user", "content": "hi"}]}


@contextlib.contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    """Yield a raw connection that gives up after a while."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        yield connection


def received(connection: socket.socket) -> bytes:
    """Return everything until the server closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("host", ["0.0.0.0:0", "[::]:0"])
def test_listening_beyond_this_machine_needs_a_key(settings: Settings, keys: KeyFile, host: str) -> None:
    with pytest.raises(Refused, match="corral keys add"):
        open_socket(replace(settings, host=host), keys)


def test_a_key_or_an_explicit_wish_opens_the_server_to_the_network(settings: Settings, keys: KeyFile) -> None:
    wide = replace(settings, host="0.0.0.0:0")

    with open_socket(replace(wide, unsafe_bind=True), keys) as by_wish:
        assert by_wish.getsockname()[0] == "0.0.0.0"
    keys.add("mine", [Scope.INFER])
    with open_socket(wide, keys) as by_key:
        assert by_key.getsockname()[0] == "0.0.0.0"


async def test_models_of_a_store_that_can_not_be_written_are_served(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    models = settings.home / "models"
    (models / "blobs").mkdir(parents=True)
    # Even an administrator's process, which may write everywhere, can't open a folder as its lock.
    (models / ".corral.lock").mkdir()

    async with open_engine(replace(settings, models=models), load_plugin(ollama)) as engine:
        assert engine.library.names() == []

    assert "nothing was tidied up in the store" in caplog.text


def test_an_address_in_use_is_named(settings: Settings, keys: KeyFile) -> None:
    """F35: a second server on the same address says so at once."""
    with open_socket(settings, keys) as first:
        port = first.getsockname()[1]
        with pytest.raises(Refused, match=f"127.0.0.1:{port} is in use already"):
            open_socket(replace(settings, host=f"127.0.0.1:{port}"), keys)


def test_a_head_of_a_hundred_thousand_headers_is_refused(url: str) -> None:
    """F97."""
    with connected(url) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 100_000 + b"\r\n")
        assert received(connection).startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
        b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: \x00\r\n\r\n",
    ],
)
def test_lies_about_the_message_are_refused(url: str, request_bytes: bytes) -> None:
    """F97: chunks, lengths and heads that contradict HTTP."""
    with connected(url) as connection:
        connection.sendall(request_bytes)
        connection.shutdown(socket.SHUT_WR)

        answer = received(connection)

    assert not answer or answer.split()[1] in (b"400", b"403", b"405", b"505")
    assert httpx2.get(f"{url}/").status_code == 200


def test_a_body_may_be_any_json_regardless_of_its_content_type(url: str) -> None:
    response = httpx2.post(f"{url}/api/chat", content=json.dumps({**CHAT, "stream": False}), headers={"content-type": "text/plain"})

    assert response.json()["message"]["content"] == "Hello"


def test_hostile_hosts_are_refused_over_a_real_socket(url: str) -> None:
    """F95."""
    for host in ("evil.com", "localhost.evil", ":11434"):
        assert httpx2.get(f"{url}/", headers={"host": host}).status_code == 403


def test_metrics_are_read_by_prometheus_own_parser(url: str) -> None:
    httpx2.post(f"{url}/api/chat", json=CHAT)

    families = {family.name: family for family in text_string_to_metric_families(httpx2.get(f"{url}/metrics").text)}

    assert families["corral_http_requests"].type == "counter"
    assert families["corral_model_bytes"].samples[0].labels == {"model": "test:latest"}
    assert {"corral_answers", "corral_diagnostics"} <= families.keys()
    assert families["corral_http_first_byte_seconds"].type == "histogram"


def test_the_document_and_its_page_load_nothing_from_elsewhere(url: str) -> None:
    document = httpx2.get(f"{url}/openapi.json").json()
    page = httpx2.get(f"{url}/docs")

    assert document["openapi"] == "3.1.0"
    assert {"/api/chat", "/v1/responses", "/v1/messages", "/metrics"} <= document["paths"].keys()
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert "https://" not in page.text


def test_two_hundred_streams_at_once_lose_nothing(url: str, engine: ScriptedEngine) -> None:
    engine.script = [*HELLO[:-1]] * 20 + [HELLO[-1]]

    async def one(client: httpx2.AsyncClient) -> str:
        response = await client.post(f"{url}/api/chat", json=CHAT)
        return "".join(json.loads(line)["message"]["content"] for line in response.text.splitlines())

    async def all_of_them() -> list[str]:
        async with httpx2.AsyncClient(limits=httpx2.Limits(max_connections=200), timeout=60) as client:
            return await asyncio.gather(*(one(client) for _ in range(200)))

    assert asyncio.run(all_of_them()) == ["Hello" * 20] * 200


def test_a_log_of_requests_can_be_sent_again(settings: Settings, keys: KeyFile, mount: Mount) -> None:
    logged = replace(settings, request_log=settings.home / "log" / "requests.jsonl")
    with serving(mount, logged, keys) as url:
        httpx2.post(f"{url}/api/chat", json={**CHAT, "stream": False}, headers={"authorization": "Bearer s3cret"})
        httpx2.post(f"{url}/api/blobs/sha256:x", content=b"\xff\x00")
    # An entry is written after its answer was sent; a server that has stopped has written all of them.
    with serving(mount, logged, keys) as url:
        from corral.cli.root import corral

        result = CliRunner().invoke(corral, ["--host", url, "replay", str(logged.request_log)])

    # Entries are written by threads, so that those of two requests in a row may change places.
    entries = read_journal(logged.request_log)
    (blob, chat), again = (sorted(half, key=lambda entry: entry.path) for half in (entries[:2], entries[2:]))
    assert (chat.status, json.loads(chat.content())["model"], blob.content()) == (200, "test", b"\xff\x00")
    assert "s3cret" not in logged.request_log.read_text()
    assert "200 then, 200 now" in result.output
    assert [entry.path for entry in again] == ["/api/blobs/sha256:x", "/api/chat"]


async def test_a_stopping_server_lets_answers_finish(settings: Settings, keys: KeyFile) -> None:
    """F51."""
    gate = asyncio.Event()
    engine = ScriptedEngine([HELLO[0], gate, *HELLO[1:]])
    stop, url = asyncio.Event(), asyncio.get_running_loop().create_future()
    guard = Guard(mount_plugins([ollama], engine, settings), settings, keys)
    serving_task = asyncio.create_task(serve_on(open_socket(settings, keys), guard, settings, stop=stop, announce=url.set_result))

    async with httpx2.AsyncClient(base_url=await url) as client, client.stream("POST", "/api/chat", json=CHAT) as response:
        lines = response.aiter_lines()
        first = json.loads(await anext(lines))
        stop.set()
        gate.set()
        rest = [json.loads(line) async for line in lines]

    async with asyncio.timeout(10):
        await serving_task
    assert first["message"]["content"] + rest[0]["message"]["content"] == "Hello"
    assert rest[-1]["done"] is True


async def test_a_stopping_server_does_not_wait_for_ever(settings: Settings, keys: KeyFile) -> None:
    """F51: what does not finish within the drain timeout is cut off."""
    engine = ScriptedEngine([HELLO[0], asyncio.Event()])
    stop, url = asyncio.Event(), asyncio.get_running_loop().create_future()
    hasty = replace(settings, drain_timeout_s=0.05)
    guard = Guard(mount_plugins([ollama], engine, hasty), hasty, keys)
    serving_task = asyncio.create_task(serve_on(open_socket(hasty, keys), guard, hasty, stop=stop, announce=url.set_result))

    async with httpx2.AsyncClient(base_url=await url) as client:
        with contextlib.suppress(httpx2.HTTPError):
            async with client.stream("POST", "/api/chat", json=CHAT) as response:
                async for _ in response.aiter_lines():
                    stop.set()

    async with asyncio.timeout(10):
        await serving_task
    assert engine.ended.is_set()


def test_a_server_in_a_thread_leaves_no_thread_behind(settings: Settings, keys: KeyFile, mount: Mount) -> None:
    before = {thread.ident for thread in threading.enumerate()}

    with serving(mount, settings, keys) as url:
        httpx2.get(f"{url}/")

    assert {thread.ident for thread in threading.enumerate() if thread.name == "test server"} <= before


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_certificate_makes_the_server_speak_https(settings: Settings, keys: KeyFile, mount: Mount, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)

    with serving(mount, replace(settings, tls_certificate=certificate, tls_key=key), keys) as url:
        context = ssl.create_default_context(cafile=str(certificate))
        response = httpx2.get(f"{url}/api/version", verify=context)

    assert url.startswith("https://")
    assert response.status_code == 200


def test_a_certificate_without_its_key_is_refused(settings: Settings, keys: KeyFile, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="CORRAL_TLS_KEY"):
        open_socket(replace(settings, tls_certificate=tmp_path / "certificate.pem"), keys)


def test_a_thousand_idle_connections_do_not_keep_others_out(url: str) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(1000):
            stack.enter_context(connected(url))

        assert httpx2.get(f"{url}/api/version", timeout=10).status_code == 200


def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """F51: SIGTERM ends the process cleanly."""
    environment = {**os.environ, "CORRAL_HOME": str(tmp_path), "CORRAL_HOST": "127.0.0.1:0", "CORRAL_LOG": "info", "CORRAL_LOG_JSON": "1"}
    command = [sys.executable, "-m", "corral", "serve"]

    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        url = next(found.group() for line in server.stderr if (found := re.search(r"http://[\d.:]+", line)))
        version = httpx2.get(f"{url}/api/version", headers={"x-request-id": "abc"}).json()
        server.terminate()
        lines = [json.loads(line) for line in server.stderr]

    assert server.returncode == 0
    assert set(version) == {"version", "corral"}
    assert any("abc ollama GET 200" in line["message"] for line in lines)
