"""OpenAI's own harmony library as an oracle, with its vocabulary from a wheel that carries it."""

from __future__ import annotations

import hashlib
import os
import zipfile
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from fetched import download, fetched

if TYPE_CHECKING:
    from pathlib import Path

#: litellm bundles the file that the library would download from a web server.
WHEEL = "litellm==1.109.1"
MEMBER = "litellm/litellm_core_utils/tokenizers/fb374d419588a4632f3f557e76b4b70aebbca790"
VOCABULARY_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"


@cache
def encoding() -> Any:
    """Return the library's encoding of gpt-oss."""
    harmony = pytest.importorskip("openai_harmony")
    os.environ["TIKTOKEN_ENCODINGS_BASE"] = str(fetched("o200k", _extract))
    return harmony.load_harmony_encoding(harmony.HarmonyEncodingName.HARMONY_GPT_OSS)


def _extract(folder: Path) -> None:
    wheel = download(WHEEL, folder)
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(MEMBER)
    assert hashlib.sha256(data).hexdigest() == VOCABULARY_SHA256
    (folder / "o200k_base.tiktoken").write_bytes(data)
    wheel.unlink()
