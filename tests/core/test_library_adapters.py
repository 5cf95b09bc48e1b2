"""An adapter for other weights is refused when a model is made of it, and not when it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gguf
import numpy as np
import pytest
from adapters import random_pairs, write_adapter

from corral.errors import InvalidInput
from corral.gguf import Header, read_header
from corral.library.adapters import check_adapter

if TYPE_CHECKING:
    from pathlib import Path

QUERY, WORDS = "blk.0.attn_q.weight", "token_embd.weight"


@pytest.fixture
def model(tmp_path: Path) -> Header:
    writer = gguf.GGUFWriter(tmp_path / "model.gguf", "llama")
    for name, shape in ((QUERY, (8, 16)), (WORDS, (32, 16))):
        writer.add_tensor(name, np.zeros(shape, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return read_header(tmp_path / "model.gguf")


def test_an_adapter_of_the_same_shapes_fits(tmp_path: Path, model: Header) -> None:
    pairs = random_pairs({QUERY: (8, 16)}, rank=2)
    pairs[WORDS] = (np.zeros((32, 2), np.float32), np.zeros((16, 2), np.float32))

    check_adapter("a.gguf", read_header(write_adapter(tmp_path / "a.gguf", pairs)), model)


@pytest.mark.parametrize(
    ("shapes", "architecture", "text"),
    [
        ({QUERY: (16, 16)}, "llama", "'a.gguf' is for another model: its blk.0.attn_q.weight"),
        ({QUERY: (8, 8)}, "llama", "'a.gguf' is for another model"),
        ({"blk.7.attn_q.weight": (8, 16)}, "llama", "its blk.7.attn_q.weight does not fit"),
        ({QUERY: (8, 16)}, "qwen2", "'a.gguf' is for qwen2 models; this one is llama"),
    ],
)
def test_an_adapter_of_another_model_is_refused_by_name(
    tmp_path: Path, model: Header, shapes: dict[str, tuple[int, int]], architecture: str, text: str
) -> None:
    adapter = write_adapter(tmp_path / "a.gguf", random_pairs(shapes), architecture=architecture)

    with pytest.raises(InvalidInput, match=text):
        check_adapter("a.gguf", read_header(adapter), model)


def test_half_an_adapter_is_refused(tmp_path: Path, model: Header) -> None:
    a, b = random_pairs({QUERY: (8, 16)}, rank=2)[QUERY]

    with pytest.raises(InvalidInput, match="does not fit"):
        check_adapter("a.gguf", read_header(write_adapter(tmp_path / "a.gguf", {QUERY: (a, b[:, :1].copy())})), model)
