"""Make models for tests: a spec in memory, or a GGUF file without weights."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

from corral.spec import Choice, ModelFacts, ModelSpec, Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A ChatML template, as many small models carry it.
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def model_spec(
    name: str = "test:latest",
    *,
    renderer: str = "chat-template",
    parser: str = "chat-template",
    chat_template: str = CHATML,
    template: str = "",
) -> ModelSpec:
    """Return a model that exists on paper only, for renderers and parsers."""
    facts = ModelFacts(architecture="llama", chat_template=chat_template, context_length=4096, bos_token="<s>", eos_token="</s>")
    return ModelSpec(
        name=name,
        digest="0" * 64,
        path=Path("/nowhere/test.gguf"),
        facts=facts,
        renderer=Choice(name=renderer, origin=Origin.EXPLICIT),
        parser=Choice(name=parser, origin=Origin.EXPLICIT),
        runner=Choice(name="scripted", origin=Origin.EXPLICIT),
        template=template,
    )


def tiny_gguf(path: Path, *, chat_template: str = CHATML, metadata: Mapping[str, str | int] | None = None) -> Path:
    """Write a valid GGUF header without tensors and return its path."""
    pairs: dict[str, str | int] = {
        "general.architecture": "llama",
        "general.name": "tiny",
        "general.file_type": 0,
        "llama.context_length": 4096,
        "llama.embedding_length": 64,
        "llama.block_count": 2,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 4,
        "tokenizer.chat_template": chat_template,
        **(metadata or {}),
    }
    body = b"".join(_pair(key, value) for key, value in pairs.items())
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + body)
    return path


def _pair(key: str, value: str | int) -> bytes:
    if isinstance(value, str):
        return _string(key) + struct.pack("<I", 8) + _string(value)
    return _string(key) + struct.pack("<II", 4, value)


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data
