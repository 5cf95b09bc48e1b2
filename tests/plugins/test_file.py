"""What `file:` promises: a copy of a regular file, and a plain word for anything else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from corral.errors import SourceError
from corral.testing import tiny_gguf
from corral_file import open_source

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_copied_and_named_after_itself(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "My Model-1B.Q4_1.gguf")
    source = open_source(f"file:{path}")
    reports: list[tuple[int, int]] = []

    resolved = source.resolve()
    source.fetch(resolved.parts[0], tmp_path / "target", lambda done, total: reports.append((done, total)))

    assert resolved.name == "my-model-1b.q4_1:latest"
    assert (tmp_path / "target").read_bytes() == path.read_bytes()
    assert reports == [(path.stat().st_size, path.stat().st_size)]
    assert list(source.close()) == []


def test_a_file_that_changed_is_another_download(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "m.gguf")
    before = open_source(f"file:{path}").resolve().reference
    tiny_gguf(path, chat_template="changed and longer")

    assert open_source(f"file:{path}").resolve().reference != before


def test_addresses_of_files_are_understood(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "a b.gguf")

    assert open_source(path.as_uri()).resolve().parts[0].name == "a b.gguf"


@pytest.mark.parametrize("make", ["missing", "folder", "fifo", "device"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, make: str) -> None:
    """F81."""
    path = tmp_path / "odd"
    match make:
        case "folder":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")

    with pytest.raises(SourceError, match="odd"):
        open_source(f"file:{path}").resolve()


def test_raising_from_the_report_cancels(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "m.gguf")
    source = open_source(f"file:{path}")

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        source.fetch(source.resolve().parts[0], tmp_path / "target", stop)
