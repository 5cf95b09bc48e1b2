"""OpenAI's own harmony library as an oracle, with its vocabulary from a wheel that carries it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from functools import cache
from typing import TYPE_CHECKING, Any

import platformdirs
import pytest

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
    os.environ["TIKTOKEN_ENCODINGS_BASE"] = str(_vocabulary_folder())
    return harmony.load_harmony_encoding(harmony.HarmonyEncodingName.HARMONY_GPT_OSS)


def _vocabulary_folder() -> Path:
    folder = platformdirs.user_cache_path("corral") / "tests" / "o200k"
    target = folder / "o200k_base.tiktoken"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), WHEEL], check=True)
        wheel = next(folder.glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(MEMBER)
        assert hashlib.sha256(data).hexdigest() == VOCABULARY_SHA256
        target.write_bytes(data)
        wheel.unlink()
    return folder
