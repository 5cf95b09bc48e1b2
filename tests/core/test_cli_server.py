"""Commands against a running server, and without one: the same words lead to the same answers."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from corral.cli import failures
from corral.cli.root import corral
from corral.markers import hookimpl
from corral.plugins import Candidate, PluginHost, host
from corral.plugins.candidates import installed
from corral.serve.server import run_server
from corral.settings import load_settings
from corral.spec import Capabilities
from corral.testing import ScriptedRunner, tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PLUGINS = "chat-template,file,ollama,cpu,parrot"
MODELFILE = "FROM ./tiny.gguf\nRUNNER parrot\nSYSTEM Be brief.\n"


class Parrot:
    """A plugin whose runner says the same thing whatever it is asked."""

    @hookimpl
    def declare_capabilities(self) -> Capabilities:
        return Capabilities(api_version=1, runners=("parrot",))

    @hookimpl
    def spawn_runner(self) -> Any:
        return nullcontext(ScriptedRunner(["Pieces of ", "eight!"]))


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    candidates = [*installed(), Candidate(name="parrot", load=Parrot)]
    monkeypatch.setattr(host, "installed", lambda: candidates)
    for name in [name for name in os.environ if name.startswith(("CORRAL_", "OLLAMA_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CORRAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CORRAL_HOST", "127.0.0.1:1")
    monkeypatch.setenv("CORRAL_PLUGINS", PLUGINS)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        capsys.readouterr()
        code = failures.run(corral, list(arguments))
        return (code, *capsys.readouterr())

    return run


@contextmanager
def server() -> Iterator[str]:
    """Run a server on a port of its own, in a thread, and yield its URL."""
    settings = load_settings({"host": "127.0.0.1:0"}, os.environ)
    listening = threading.Event()
    urls: list[str] = []
    stops: list[Callable[[], object]] = []

    async def serve() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        stops.append(lambda: loop.call_soon_threadsafe(stop.set))

        def announce(url: str) -> None:
            urls.append(url)
            listening.set()

        await run_server(settings, PluginHost.load(settings.plugins), stop=stop, announce=announce)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert listening.wait(30)
        yield urls[0]
    finally:
        stops[0]()
        thread.join(30)


@pytest.fixture(params=["with a server", "without a server"])
def place(request: pytest.FixtureRequest, shell: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "without a server":
        yield request.param
        return
    with server() as url:
        monkeypatch.setenv("CORRAL_HOST", url)
        yield request.param


def test_a_model_is_made_shown_run_and_removed(place: str, shell: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    tiny_gguf(tmp_path / "tiny.gguf")
    (tmp_path / "Modelfile").write_text(MODELFILE)

    assert shell("create", "polly")[0] == 0
    assert json.loads(shell("list", "--json")[1])[0]["name"] == "polly:latest"
    shown = json.loads(shell("show", "polly", "--json")[1])
    assert shown["system"] == "Be brief."
    assert shown["choices"]["runner"] == {"name": "parrot", "origin": "Modelfile", "reason": "", "provider": "local 0"}
    assert shell("run", "polly", "hello")[1] == "Pieces of eight!\n"
    assert shell("run", "polly", stdin="hello")[1] == "Pieces of eight!\n"
    assert shell("cp", "polly", "molly") == (0, "copied 'polly' to 'molly'\n", "")
    assert shell("rm", "polly", "molly") == (0, "deleted 'polly'\ndeleted 'molly'\n", "")
    code, _, err = shell("show", "polly")
    assert (code, err) == (1, "Error: model 'polly' not found (try: corral pull polly)\n")


def test_a_file_is_pulled(place: str, shell: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    tiny_gguf(tmp_path / "tiny.gguf")

    code, out, err = shell("pull", f"file:{tmp_path}/tiny.gguf")

    assert (code, out) == (0, "")
    assert err.splitlines()[-1] == "success"
    assert len(json.loads(shell("list", "--json")[1])) == 1


def test_loaded_models_are_listed_and_stopped(
    shell: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tiny_gguf(tmp_path / "tiny.gguf")
    (tmp_path / "Modelfile").write_text(MODELFILE)
    with server() as url:
        monkeypatch.setenv("CORRAL_HOST", url)
        shell("create", "polly")
        shell("run", "polly", "hello", "--keepalive", "-1")

        [row] = shell("ps")[1].splitlines()[1:]
        stopped = shell("stop", "polly")

        assert row.split()[0] == "polly:latest"
        assert row.endswith("Forever")
        assert stopped == (0, "", "")
        assert shell("ps", "--json")[1].strip() == "[]"
        assert shell("stop", "nobody")[2] == "Error: model 'nobody' not found (try: corral pull nobody)\n"


def test_version_and_doctor_know_the_server(shell: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    with server() as url:
        monkeypatch.setenv("CORRAL_HOST", url)

        version = json.loads(shell("version", "--json")[1])
        findings = json.loads(shell("doctor", "--json")[1])

    assert version["server"] == version["client"]
    assert any(f["area"] == "server" and f["health"] == "ok" and "answers at" in f["message"] for f in findings)


def test_a_broken_plugin_is_a_warning_and_with_strict_plugins_an_error(
    shell: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    candidates = [*installed(), Candidate(name="broken", load=object)]
    monkeypatch.setattr(host, "installed", lambda: candidates)
    monkeypatch.setenv("CORRAL_PLUGINS", f"{PLUGINS.removesuffix(',parrot')},broken")

    code, _, warned = shell("list")
    strict_code, _, refused = shell("--strict-plugins", "list")
    listed_code, table, said = shell("--strict-plugins", "plugins")

    assert (code, warned) == (0, "Warning: plugin 'broken' (local 0) is left out: has no declare_capabilities hook\n")
    assert (strict_code, refused) == (1, "Error: 1 broken: broken (local 0): has no declare_capabilities hook\n")
    assert listed_code == 1
    assert "broken             local 0" in table
    assert said.splitlines()[1] == "broken: has no declare_capabilities hook"


@pytest.mark.parametrize("answer", [b'{"version": "0.13.0"}', b"<html>"])
def test_a_server_that_is_not_corral_is_left_alone(
    answer: bytes, shell: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with stranger(answer) as url:
        monkeypatch.setenv("CORRAL_HOST", url)

        code, out, err = shell("list")
        told = shell("version")[2]

    assert (code, out.split()) == (0, ["NAME", "ID", "SIZE", "MODIFIED"])
    assert err.startswith(f"Warning: the server at {url} is not corral; going on without it")
    assert told == f"Warning: the server at {url} is not corral\n"


def test_a_server_that_wants_a_key_gets_the_one_of_the_environment(
    shell: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = shell("keys", "add", "laptop", "--scope", "admin")[1].strip()
    with server() as url:
        monkeypatch.setenv("CORRAL_HOST", url)
        without = shell("list")
        monkeypatch.setenv("CORRAL_API_KEY", secret)
        with_key = shell("list")

    assert without[0] == 1
    assert "key" in without[2]
    assert with_key[0] == 0


@contextmanager
def stranger(answer: bytes) -> Iterator[str]:
    """Run a server of something else, which gives one answer to everything."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{httpd.server_port}"
        finally:
            httpd.shutdown()
            thread.join(10)
