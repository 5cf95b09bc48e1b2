"""What the store promises: whole or not at all, nothing outside its folder, and no blob taken from someone who needs it."""

from __future__ import annotations

import errno
import hashlib
import json
import operator
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corral.errors import InvalidInput, ModelNotFound, StoreError
from corral.names import Digest, ModelName
from corral.store import Layer, Manifest, Store
from corral.store import manifest as layers
from corral.store.files import exclusive

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = ModelName.parse("tiny")


def digest_of(data: bytes) -> Digest:
    return Digest(hashlib.sha256(data).hexdigest())


def manifest_of(*texts: bytes, config: bytes = b"{}") -> Manifest:
    return Manifest(
        config=Layer(media_type=layers.CONFIG_TYPE, digest=digest_of(config), size=len(config)),
        layers=tuple(Layer(media_type=layers.LICENSE, digest=digest_of(text), size=len(text)) for text in texts),
    )


def install(store: Store, name: str, *texts: bytes) -> Manifest:
    manifest = manifest_of(*texts)
    with store.writing() as holding:
        for text in (b"{}", *texts):
            holding.add([text])
        store.publish(ModelName.parse(name), manifest)
    return manifest


def blobs(store: Store) -> set[str]:
    return {path.name for path in store.blobs.folder.iterdir()}


def make_old(store: Store) -> None:
    for path in store.blobs.folder.iterdir():
        os.utime(path, (1, 1))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


def test_the_layout_is_ollamas(store: Store) -> None:
    install(store, "Someone/Tiny:v1", b"text")

    manifest = store.folder / "manifests/registry.ollama.ai/Someone/Tiny/v1"
    assert json.loads(manifest.read_bytes()) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": str(digest_of(b"{}")), "size": 2},
        "layers": [{"mediaType": "application/vnd.ollama.image.license", "digest": str(digest_of(b"text")), "size": 4}],
    }
    assert (store.folder / "blobs" / f"sha256-{digest_of(b'text').hex}").read_bytes() == b"text"


@given(sizes=st.lists(st.integers(0, 2**40), max_size=5), base=st.text(max_size=5), name=st.text(max_size=5))
def test_a_manifest_reads_back_as_it_was_written(sizes: list[int], base: str, name: str) -> None:
    found = [Layer(media_type=layers.LICENSE, digest=digest_of(bytes([size % 251])), size=size, base=base, name=name) for size in sizes]
    manifest = Manifest(config=Layer(media_type=layers.CONFIG_TYPE, digest=digest_of(b""), size=0), layers=tuple(found))

    assert layers.decode(manifest.encode(), "it") == manifest


GOOD = {"mediaType": layers.MODEL, "digest": f"sha256:{'a' * 64}", "size": 1}


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"null", b"{}", b'{"config": 1, "layers": []}', b"[" * 100_000, b"\xff",
        json.dumps({"config": GOOD, "layers": [GOOD, GOOD]}).encode(),
        json.dumps({"config": GOOD, "layers": [{**GOOD, "size": -1}]}).encode(),
        json.dumps({"config": GOOD, "layers": [{**GOOD, "size": 1.5}]}).encode(),
        json.dumps({"config": GOOD, "layers": [{**GOOD, "digest": "sha256:../../x"}]}).encode(),
        json.dumps({"config": GOOD, "layers": [{**GOOD, "digest": 7}]}).encode(),
        json.dumps({"config": GOOD, "layers": [{"size": 1}]}).encode(),
        json.dumps({"config": GOOD, "layers": {"a": 1}}).encode(),
    ],
)  # fmt: skip
def test_a_manifest_that_is_none_is_refused(content: bytes) -> None:
    """F84, F93: traversal in a digest, and missing, duplicate and out-of-range layers."""
    with pytest.raises(StoreError, match="manifest of"):
        layers.decode(content, "it")


def test_a_blob_is_stored_once_and_verified(store: Store) -> None:
    with store.writing() as holding:
        first, second = holding.add([b"a", b"bc"]), holding.add([b"abc"], digest_of(b"abc"))

    assert first == second == digest_of(b"abc")
    assert blobs(store) == {first.file_name}
    assert store.blobs.read(first, 10) == b"abc"


def test_bytes_of_another_digest_leave_nothing_behind(store: Store) -> None:
    """F83."""
    with store.writing() as holding, pytest.raises(InvalidInput, match="digest mismatch, expected"):
        holding.add([b"abc"], digest_of(b"other"))

    assert blobs(store) == set()


def test_a_damaged_blob_is_noticed_and_replaced(store: Store) -> None:
    digest = digest_of(b"abc")
    with store.writing() as holding:
        holding.add([b"abc"])
    store.blobs.path(digest).write_bytes(b"ab")
    with pytest.raises(StoreError, match="damaged"):
        store.blobs.read(digest, 10)
    with store.writing() as holding:
        holding.add([b"abc"])

    assert store.blobs.read(digest, 10) == b"abc"


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_no_trace(store: Store, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """F91, F92: no space at each step of making a blob and of writing a manifest."""
    install(store, "tiny", b"old")
    before = blobs(store)

    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        match call:
            case "write":
                patch.setattr("corral.store.blobs.Writer.write", lambda self, chunk: _full(self, fail))
            case "fsync":
                patch.setattr("os.fsync", fail)
            case _:
                patch.setattr("pathlib.Path.replace", fail)
        with store.writing() as holding, pytest.raises(StoreError, match="No space left"):
            holding.add([b"new"])
        if call != "write":
            with pytest.raises(StoreError, match="No space left"):
                store.publish(NAME, manifest_of())

    assert blobs(store) == before
    assert store.catalog.read(NAME).manifest == manifest_of(b"old")
    assert [path.name for path in (store.folder / "manifests/registry.ollama.ai/library/tiny").iterdir()] == ["latest"]


def _full(writer: object, fail: Callable[[], None]) -> None:
    from corral.store.files import storing

    with storing("store a blob"):
        fail()


class Fault:
    """Makes the n-th call of any of the functions through which the store changes the disk fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
        self.left = nth
        for name in ("os.open", "os.fsync", "os.replace", "os.mkdir", "os.chmod", "os.unlink", "io.open"):
            monkeypatch.setattr(name, self._failing(operator.attrgetter(name.partition(".")[2])(sys.modules[name.partition(".")[0]])))

    def _failing(self, call: Callable[..., object]) -> Callable[..., object]:
        def replacement(*arguments: object, **options: object) -> object:
            self.left -= 1
            if self.left == 0:
                raise OSError(errno.EIO, "Input/output error")
            return call(*arguments, **options)

        return replacement


def test_whichever_call_fails_a_model_is_there_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F91, F92: fail the first call that touches the disk, then the second, until a run has no call left to fail."""
    for nth in range(1, 200):
        store = Store(tmp_path / str(nth))
        old = install(store, "tiny", b"old", b"shared")
        with monkeypatch.context() as patch:
            fault = Fault(patch, nth)
            with suppress(StoreError):
                install(store, "tiny", b"new", b"shared")
        found = Store(store.folder).catalog.read(NAME).manifest
        assert found in (old, manifest_of(b"new", b"shared"))
        assert all(store.blobs.read(digest, 99) for digest in found.digests)
        if fault.left > 0:
            break
    else:
        pytest.fail("the store never stopped calling")

    assert nth > 10
    assert blobs(store) == {digest_of(data).file_name for data in (b"{}", b"new", b"shared")}


def test_a_manifest_whose_blobs_are_not_there_is_not_written(store: Store) -> None:
    with pytest.raises(StoreError, match="is missing"):
        store.publish(NAME, manifest_of(b"nowhere"))

    assert store.catalog.names() == []


def test_removing_a_model_keeps_the_blobs_that_another_one_needs(store: Store) -> None:
    install(store, "one", b"shared", b"only one")
    install(store, "two", b"shared", b"only two")

    pruned = store.remove(ModelName.parse("one"))

    assert pruned.digests == (digest_of(b"only one"),)
    assert blobs(store) == {digest_of(data).file_name for data in (b"{}", b"shared", b"only two")}
    assert store.catalog.names() == [ModelName.parse("two")]


def test_replacing_a_model_removes_what_only_the_old_one_needed(store: Store) -> None:
    install(store, "tiny", b"old")
    install(store, "tiny", b"new")

    assert blobs(store) == {digest_of(data).file_name for data in (b"{}", b"new")}


def test_a_store_that_must_not_be_pruned_is_not(tmp_path: Path) -> None:
    store = Store(tmp_path, prune=False)
    install(store, "tiny", b"old")
    store.remove(NAME)
    make_old(store)

    store.prune()

    assert digest_of(b"old").file_name in blobs(store)


def test_a_damaged_manifest_stops_all_pruning_and_is_reported(store: Store) -> None:
    install(store, "one", b"one")
    install(store, "two", b"two")
    (store.folder / "manifests/registry.ollama.ai/library/two/latest").write_text("{")
    make_old(store)

    pruned = [store.remove(ModelName.parse("one")), store.prune()]

    assert all("'two:latest' is damaged" in result.reason for result in pruned)
    assert digest_of(b"one").file_name in blobs(store)
    store.remove(ModelName.parse("two"))


def test_pruning_spares_fresh_uploads_and_running_downloads(store: Store) -> None:
    install(store, "tiny", b"needed")
    with store.writing() as holding:
        holding.add([b"stale"])
    with store.partial("a download", lambda: None) as partial:
        partial.path.write_bytes(b"half")
        (store.blobs.folder / ".ingest-crashed").write_bytes(b"x")
        make_old(store)
        with store.writing() as holding:
            holding.add([b"fresh"])
            store.prune()

    found = blobs(store)
    assert {digest_of(data).file_name for data in (b"{}", b"needed", b"fresh")} < found
    assert digest_of(b"stale").file_name not in found
    assert ".ingest-crashed" not in found
    assert partial.path.name in found


def test_a_partial_download_is_never_a_blob_and_can_be_resumed(store: Store) -> None:
    with store.partial("key", lambda: None) as first:
        first.path.write_bytes(b"hal")
    with store.partial("key", lambda: None) as second:
        assert second.path.read_bytes() == b"hal"
        second.path.write_bytes(b"half")
        second.share()
        with store.writing() as holding:
            holding.adopt(second.path, digest_of(b"half"))

    assert blobs(store) == {digest_of(b"half").file_name}


def test_a_second_download_of_the_same_waits_for_the_first(store: Store) -> None:
    """F94: concurrent pulls of one blob."""
    waited = threading.Event()
    found: list[bool] = []

    def second() -> None:
        with store.partial("key", waited.set):
            found.append(store.blobs.size(digest_of(b"done")) is not None)

    with store.partial("key", lambda: None) as first:
        thread = threading.Thread(target=second)
        thread.start()
        assert waited.wait(10)
        first.path.write_bytes(b"done")
        first.share()
        with store.writing() as holding:
            holding.adopt(first.path, digest_of(b"done"))
    thread.join(10)

    assert found == [True]


def in_process(function: Callable[[str, str], None], store: Store, name: str) -> subprocess.Popen[bytes]:
    """Start a function of this file in a process of its own."""
    code = "import runpy, sys; runpy.run_path(sys.argv[1])[sys.argv[2]](sys.argv[3], sys.argv[4])"
    return subprocess.Popen([sys.executable, "-c", code, __file__, function.__name__, str(store.folder), name])


def remove(folder: str, name: str) -> None:
    Store(Path(folder)).remove(ModelName.parse(name))


def churn(folder: str, name: str) -> None:
    store = Store(Path(folder))
    for number in range(12):
        install(store, name, b"shared", f"{name}{number}".encode())
        if number % 3 == 2:
            store.remove(ModelName.parse(name))
    install(store, name, b"shared", name.encode())


def test_another_process_can_not_remove_a_blob_that_is_held(store: Store) -> None:
    """F94: delete while a model is being made of the same blob."""
    install(store, "old", b"shared")
    with store.writing() as holding:
        assert holding.hold(digest_of(b"shared"))
        assert in_process(remove, store, "old").wait(30) == 0
        holding.add([b"{}"])
        store.publish(ModelName.parse("new"), manifest_of(b"shared"))

    assert store.catalog.names() == [ModelName.parse("new")]
    assert store.blobs.read(digest_of(b"shared"), 10) == b"shared"


def test_processes_that_make_replace_and_remove_at_once_leave_whole_models(store: Store) -> None:
    """F94: a shared blob under concurrent writers in two processes and two threads."""
    processes = [in_process(churn, store, name) for name in ("one", "two")]
    threads = [threading.Thread(target=churn, args=(str(store.folder), name)) for name in ("three", "four")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert [process.wait(60) for process in processes] == [0, 0]
    assert len(store.catalog.names()) == 4
    for name in store.catalog.names():
        for digest in store.catalog.read(name).manifest.digests:
            assert store.blobs.read(digest, 100)


def test_a_lock_that_is_never_released_is_an_error_not_a_hang(tmp_path: Path) -> None:
    """F52."""
    with exclusive(tmp_path / "lock"), pytest.raises(StoreError, match="another process"), exclusive(tmp_path / "lock", timeout_s=0.05):
        pytest.fail("two holders of one lock")


def test_names_are_found_whatever_their_case(store: Store) -> None:
    install(store, "Org/Tiny:Q4", b"text")

    assert store.catalog.find(ModelName.parse("org/tiny:q4")) == ModelName.parse("Org/Tiny:Q4")
    with pytest.raises(ModelNotFound, match="corral pull"):
        store.catalog.find(ModelName.parse("org/other"))


def test_links_do_not_lead_out_of_the_store(store: Store, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    install(Store(outside), "tiny", b"secret")
    install(store, "mine", b"text")
    (store.folder / "manifests/registry.ollama.ai/evil").symlink_to(outside / "manifests/registry.ollama.ai/library")
    store.blobs.path(digest_of(b"secret")).symlink_to(outside / "blobs" / digest_of(b"secret").file_name)

    assert store.catalog.names() == [ModelName.parse("mine")]
    assert store.blobs.size(digest_of(b"secret")) is None
    with pytest.raises(StoreError, match="symbolic link"):
        store.catalog.read(ModelName.parse("evil/tiny"))
    with pytest.raises(StoreError, match="symbolic link"):
        store.remove(ModelName.parse("evil/tiny"))
    with pytest.raises(StoreError):
        store.blobs.read(digest_of(b"secret"), 10)


def test_strange_files_among_the_manifests_are_no_models(store: Store) -> None:
    install(store, "tiny", b"text")
    folder = store.folder / "manifests/registry.ollama.ai/library/tiny"
    (folder / ".latest.123").write_text("x")
    (folder / "a folder").mkdir()
    os.mkfifo(folder / "fifo")

    assert store.catalog.names() == [NAME]


@given(
    names=st.lists(st.sampled_from(["a", "b/c", "h.d/e/f:g", "A"]), max_size=6),
    removed=st.lists(st.sampled_from(["a", "b/c", "A"]), max_size=4),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_on_disk_is_what_the_manifests_need(tmp_path_factory: pytest.TempPathFactory, names: list[str], removed: list[str]) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    for number, name in enumerate(names):
        install(store, name, b"shared", bytes([number]))
    for name in removed:
        if ModelName.parse(name) in store.catalog.names():
            store.remove(ModelName.parse(name))

    needed = {digest.file_name for name in store.catalog.names() for digest in store.catalog.read(name).manifest.digests}
    assert (blobs(store) if store.blobs.folder.exists() else set()) == needed
