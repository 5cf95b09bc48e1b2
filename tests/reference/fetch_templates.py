"""Fetch the reference chat templates: the llama-cpp-python sdist, through pip, into the user's cache.

The templates belong to their authors and stay out of the repository. Run as a script to print where they are.
"""

from __future__ import annotations

import hashlib
import sys
import tarfile
from pathlib import Path

from fetched import download, fetched

SDIST = "llama-cpp-python==0.3.36"
SDIST_SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
MEMBERS = "/vendor/llama.cpp/models/templates/"


def templates_folder() -> Path:
    """Return the folder of reference templates, fetched on first use."""
    return fetched("templates-0.3.36", lambda folder: _extract(_download(folder), folder))


def reference_template(name: str) -> str:
    """Return the text of one reference template, such as `Qwen3-Coder.jinja`."""
    return (templates_folder() / name).read_text(encoding="utf-8")


def _download(folder: Path) -> Path:
    archive = download(SDIST, folder, "--no-binary", "llama-cpp-python")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != SDIST_SHA256:
        archive.unlink()
        sys.exit(f"the sdist of {SDIST} has sha256 {digest}, not {SDIST_SHA256}")
    return archive


def _extract(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as sdist:
        for member in sdist:
            if MEMBERS in member.name and member.isfile():
                content = sdist.extractfile(member)
                assert content is not None
                (folder / Path(member.name).name).write_bytes(content.read())
    archive.unlink()


if __name__ == "__main__":
    print(templates_folder())
