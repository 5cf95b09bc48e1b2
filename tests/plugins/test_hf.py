"""Models from the Hub, against a small Hub on loopback."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from corral.errors import SourceError
from corral_hf import open_source
from corral_hf.choosing import has_quantisation, projector_file, weights_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = b"GGUF" + bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = ["README.md", "tiny-Q4_K_M.gguf", "tiny-Q8_0.gguf", "mmproj-tiny-f16.gguf"]


class Hub(BaseHTTPRequestHandler):
    """Knows one repository, org/tiny-GGUF."""

    def do_GET(self) -> None:
        if self.path.startswith("/api/models/org/tiny-GGUF"):
            lfs = {"sha256": DIGEST, "size": len(CONTENT), "pointerSize": 100}
            siblings = [{"rfilename": name, "size": len(CONTENT), "blobId": "0" * 40, "lfs": lfs} for name in FILES]
            self._answer(json.dumps({"id": "org/tiny-GGUF", "sha": COMMIT, "siblings": siblings}).encode())
        elif self.path.startswith("/org/tiny-GGUF/resolve/"):
            self._answer(CONTENT)
        else:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

    do_HEAD = do_GET  # noqa: N815 - the name is the server's

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{DIGEST}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + "/{repo_id}/resolve/{revision}/{filename}")
    yield endpoint
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_repository_resolves_to_its_usual_quantisation_and_projector(hub: str) -> None:
    resolved = open_source("hf:org/tiny-GGUF").resolve()

    assert [part.name for part in resolved.parts] == ["tiny-Q4_K_M.gguf", "mmproj-tiny-f16.gguf"]
    assert resolved.parts[0].digest == f"sha256:{DIGEST}"
    assert resolved.name == "hf.co/org/tiny-GGUF:latest"


def test_a_file_is_fetched_whole_with_progress_and_nothing_is_left_beside_it(hub: str, tmp_path: Path) -> None:
    source = open_source("hf:org/tiny-GGUF:Q8_0")
    (weights, _) = source.resolve().parts
    seen: list[tuple[int, int]] = []

    source.fetch(weights, tmp_path / "target", lambda completed, total: seen.append((completed, total)))
    source.close()

    assert (tmp_path / "target").read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_an_unknown_repository_is_named(hub: str) -> None:
    with pytest.raises(SourceError, match="can't find hf:org/none"):
        open_source("hf:org/none").resolve()


@pytest.mark.parametrize("reference", ["hf:tiny", "hf:a/b/c/d", "hf:../etc", "hf:org/..", "hf:org/repo:a b", "hf:org/repo:../../x"])
def test_a_malformed_reference_is_refused(reference: str) -> None:
    with pytest.raises(SourceError, match="no reference to the Hub"):
        open_source(reference)


@pytest.mark.parametrize(
    ("files", "wanted", "message"),
    [
        (["a.safetensors"], "", "has no .gguf file"),
        (["a-Q2_K.gguf", "b-Q3_K.gguf"], "", "several files match ''"),
        (["a-Q2_K.gguf"], "Q4_0", r"no file matches 'Q4_0'.*a-Q2_K.gguf"),
        (["a-Q4_0-00001-of-00002.gguf"], "a-Q4_0-00001-of-00002.gguf", "one part of a split model"),
    ],
)
def test_a_choice_that_is_not_clear_names_the_files(files: list[str], wanted: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        weights_file("org/repo", files, wanted)


def test_a_quantisation_is_a_word_of_its_own() -> None:
    assert has_quantisation("model.Q4_K.gguf", "q4_k")
    assert not has_quantisation("model.Q4_K_M.gguf", "Q4_K")


def test_the_half_precision_projector_is_preferred() -> None:
    assert projector_file(["mmproj-a-bf32.gguf", "x.gguf", "mmproj-a-f16.gguf"]) == "mmproj-a-f16.gguf"
