"""What the GGUF reader promises: it agrees with the reference package, and a hostile header costs an error and nothing else."""

from __future__ import annotations

import os
import struct
import tracemalloc
from typing import TYPE_CHECKING

import gguf as oracle
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corral.errors import CorralError, InvalidGGUF, StoreError
from corral.gguf import Array, Header, Value, attention, facts, read_header, read_numbers, read_strings, weights
from corral.gguf.tables import FILE_TYPES, TENSOR_TYPES

if TYPE_CHECKING:
    from pathlib import Path

U32, U64 = struct.Struct("<I"), struct.Struct("<Q")
UINT32, FLOAT32, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9


def text(value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return U64.pack(len(data)) + data


def field(key: str, kind: int, data: bytes) -> bytes:
    return text(key) + U32.pack(kind) + data


def tensor(name: str, shape: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + U32.pack(len(shape)) + b"".join(map(U64.pack, shape)) + U32.pack(kind) + U64.pack(offset)


def header(*fields: bytes, tensors: tuple[bytes, ...] = (), data: int = 0, version: int = 3) -> bytes:
    body = b"GGUF" + U32.pack(version) + U64.pack(len(tensors)) + U64.pack(len(fields)) + b"".join(fields) + b"".join(tensors)
    return body + b"\0" * (-len(body) % 32) + b"\0" * data


def written(path: Path) -> Path:
    """Write a small model with the reference package."""
    writer = oracle.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_block_count(2)
    writer.add_context_length(512)
    writer.add_embedding_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv([2, 1])
    writer.add_file_type(oracle.LlamaFileType.MOSTLY_Q4_K_M)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"token{number}" for number in range(3000)])
    writer.add_token_scores([float(number) for number in range(3000)])
    writer.add_bos_token_id(7)
    writer.add_eos_token_id(2999)
    writer.add_add_bos_token(True)
    writer.add_chat_template([{"name": "default", "template": "main"}, {"name": "tool_use", "template": "tools"}])
    writer.add_uint64("big", 2**63)
    writer.add_int8("small", -5)
    writer.add_tensor("token_embd.weight", np.zeros((3, 64), np.float32))
    writer.add_tensor("blk.0.attn_q.weight", np.zeros((64, 64), np.float16))
    writer.add_tensor("blk.1.attn_q.weight", np.zeros((8, 18), np.uint8), raw_shape=(8, 18), raw_dtype=oracle.GGMLQuantizationType.Q4_0)
    writer.add_tensor("output.weight", np.zeros((5,), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def assert_agrees(read: Header, path: Path) -> None:
    """Compare everything with what the reference package reads."""
    expected = oracle.GGUFReader(path)
    assert {k for k in expected.fields if not k.startswith("GGUF.")} == set(read.fields)
    for key, found in read.fields.items():
        assert _contents(read, key, found) == pytest.approx(expected.fields[key].contents()), key
    assert [(t.name, t.shape, t.type.name, t.size, t.offset, t.elements) for t in read.tensors] == [
        (t.name, tuple(map(int, t.shape)), t.tensor_type.name, t.n_bytes, t.data_offset, t.n_elements) for t in expected.tensors
    ]


def _contents(read: Header, key: str, found: Value | Array) -> object:
    if isinstance(found, Value):
        return found.value
    return read_strings(read, key) if found.is_text else list(read_numbers(read, key))


def test_a_model_reads_as_the_reference_package_reads_it(model: Path) -> None:
    assert_agrees(read_header(model), model)


@pytest.mark.long
@pytest.mark.model
def test_smollm2_reads_as_the_reference_package_reads_it(smollm2_path: Path) -> None:
    assert_agrees(read_header(smollm2_path), smollm2_path)


def test_facts_are_taken_from_the_header(model: Path) -> None:
    found = facts(read_header(model))

    assert (found.architecture, found.name, found.file_type) == ("llama", "tiny", "Q4_K_M")
    assert (found.context_length, found.embedding_length, found.block_count, found.vocabulary_size) == (512, 64, 2, 3000)
    assert (found.bos_token, found.eos_token, found.adds_bos, found.is_embedding) == ("token7", "token2999", True, False)
    assert (found.chat_template, found.chat_templates) == ("main", (("tool_use", "tools"),))
    assert found.parameter_count == 3 * 64 + 64 * 64 + 8 * 32 + 5


def test_weights_and_attention_are_given_by_layer(model: Path) -> None:
    read = read_header(model)

    assert weights(read).blocks == (64 * 64 * 2, 8 * 18)
    assert (weights(read).input, weights(read).output) == (3 * 64 * 4, 5 * 4)
    assert weights(read).total == sum(t.size for t in read.tensors)
    assert (attention(read).head_counts_kv, attention(read).key_length) == ((2, 1), 16)


@pytest.mark.parametrize("kind", ["bert", "nomic-bert"])
def test_an_encoder_is_an_embedding_model(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(header(field("general.architecture", STRING, text(kind))))

    assert facts(read_header(path)).is_embedding


def test_tables_are_those_of_the_reference_package() -> None:
    sizes = {int(kind): size for kind, size in oracle.GGML_QUANT_SIZES.items()}
    names = {int(kind): kind.name.removeprefix("MOSTLY_").removeprefix("ALL_") for kind in oracle.LlamaFileType}

    assert {number: (t.block_elements, t.block_bytes) for number, t in TENSOR_TYPES.items()} == sizes
    assert {n: name.replace("MXFP4_MOE", "MXFP4") for n, name in names.items() if name != "GUESSED"} == FILE_TYPES


def test_a_lookup_of_the_wrong_type_names_the_key(model: Path) -> None:
    """F80: the wrong type for a key that matters."""
    read = read_header(model)

    for lookup in (read.integer, read.number, read.flag):
        with pytest.raises(InvalidGGUF, match=r"general\.name at offset"):
            lookup("general.name")
    with pytest.raises(InvalidGGUF, match=r"llama\.block_count"):
        read.text("llama.block_count")
    with pytest.raises(InvalidGGUF, match="tokens"):
        read.text("tokenizer.ggml.tokens")
    with pytest.raises(InvalidGGUF, match="tokens"):
        read.integers("tokenizer.ggml.tokens")
    assert read.integer("missing", 5) == 5


HOSTILE = {
    "no magic": (b"GGML" + bytes(40), "magic"),
    "empty": (b"", "magic"),
    "version 1": (header(version=1), "version"),
    "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0) + bytes(32), "big-endian"),
    "a huge number of keys": (b"GGUF" + U32.pack(3) + U64.pack(0) + U64.pack(2**63) + bytes(99), "metadata_kv_count"),
    "a huge number of tensors": (b"GGUF" + U32.pack(3) + U64.pack(2**40) + U64.pack(0) + bytes(99), "tensor_count"),
    "a key longer than the file": (b"GGUF" + U32.pack(3) + U64.pack(0) + U64.pack(1) + U64.pack(2**62) + bytes(99), "key 0"),
    "a text longer than the file": (header(field("k", STRING, U64.pack(9999))), "k at"),
    "a text over the limit": (header(field("k", STRING, U64.pack(2**40))), "limit"),
    "a text that is not UTF-8": (header(field("k", STRING, text(b"\xff\xfe"))), "UTF-8"),
    "an unknown value type": (header(field("k", 99, bytes(8))), "value type 99"),
    "an unknown array type": (header(field("k", ARRAY, U32.pack(99) + U64.pack(1))), "array type 99"),
    "an array of arrays": (header(field("k", ARRAY, U32.pack(ARRAY) + U64.pack(1) + bytes(64))), "arrays of arrays"),
    "an array longer than the file": (header(field("k", ARRAY, U32.pack(UINT32) + U64.pack(2**61))), "can't be in this file"),
    "strings longer than the file": (header(field("k", ARRAY, U32.pack(STRING) + U64.pack(2) + U64.pack(2**63) + bytes(20))), "needs"),
    "a bool of 2": (header(field("k", BOOL, b"\2")), "0 or 1"),
    "a key twice": (header(field("k", BOOL, b"\1"), field("k", BOOL, b"\1")), "twice"),
    "alignment 0": (header(field("general.alignment", UINT32, U32.pack(0))), "power of two"),
    "alignment 2^31": (header(field("general.alignment", UINT32, U32.pack(2**31))), "power of two"),
    "alignment 48": (header(field("general.alignment", UINT32, U32.pack(48))), "power of two"),
    "alignment of text": (header(field("general.alignment", STRING, text("32"))), "power of two"),
    "2^31 dimensions": (header(tensors=(text("t") + U32.pack(2**31) + bytes(99),)), "dimensions"),
    "a dimension of 0": (header(tensors=(tensor("t", (0,)),), data=64), "dimension is 0"),
    "elements beyond 2^63": (header(tensors=(tensor("t", (2**32, 2**32)),), data=64), "shape"),
    "half a block": (header(tensors=(tensor("t", (33,), 2),), data=64), "shape"),
    "an unknown tensor type": (header(tensors=(tensor("t", (32,), 77),), data=64), "tensor type 77"),
    "a tensor beyond the end": (header(tensors=(tensor("t", (64,)),), data=128), "the file has"),
    "a tensor far beyond the end": (header(tensors=(tensor("t", (8,), offset=2**62),), data=64), "the file has"),
    "a tensor off the grid": (header(tensors=(tensor("t", (8,), offset=8),), data=64), "alignment"),
    "tensors on each other": (header(tensors=(tensor("a", (16,)), tensor("b", (8,), offset=32)), data=128), "overlaps"),
    "a tensor twice": (header(tensors=(tensor("a", (8,)), tensor("a", (8,), offset=32)), data=128), "twice"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_header_is_refused_by_name(tmp_path: Path, case: str) -> None:
    """F77, F78, F79."""
    content, says = HOSTILE[case]
    path = tmp_path / "hostile.gguf"
    path.write_bytes(content)

    with pytest.raises(InvalidGGUF, match=says):
        read_header(path)


@pytest.mark.parametrize("make", ["fifo", "folder", "device", "missing", "loop"])
def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path, make: str) -> None:
    """F81: FROM a FIFO, /dev/zero, a folder, a link to itself."""
    path = tmp_path / "odd.gguf"
    match make:
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
        case "loop":
            path.symlink_to(path)

    with pytest.raises((InvalidGGUF, StoreError)):
        read_header(path)


@given(cut=st.floats(0, 1))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_that_was_cut_is_refused(model: Path, tmp_path: Path, cut: float) -> None:
    content = model.read_bytes()
    path = tmp_path / "cut.gguf"
    path.write_bytes(content[: int(cut * (len(content) - 32))])

    with pytest.raises(InvalidGGUF):
        read_header(path)


@given(data=st.data())
@settings(max_examples=200, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutated_file_never_gives_anything_but_a_header_or_an_error(model: Path, tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(model.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        where = data.draw(st.integers(0, 1500) | st.integers(0, len(content) - 9))
        what = data.draw(
            st.sampled_from([bytes([255] * 8), bytes(8), U64.pack(2**31), b"\x01", b"\x09\0\0\0"]) | st.binary(min_size=1, max_size=8)
        )
        content[where : where + len(what)] = what
    path = tmp_path / "mutated.gguf"
    path.write_bytes(content)

    try:
        read = read_header(path)
        facts(read)
        weights(read)
        attention(read)
    except CorralError:
        return
    assert all(t.offset + t.size <= len(content) for t in read.tensors)


def test_memory_stays_small_whatever_a_header_claims(tmp_path: Path) -> None:
    path = tmp_path / "wide.gguf"
    strings = b"".join(text(b"x") for _ in range(200_000))
    path.write_bytes(header(field("k", ARRAY, U32.pack(STRING) + U64.pack(200_000) + strings)))
    tracemalloc.start()
    try:
        read = read_header(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert read.count("k") == 200_000
    assert peak < 8 * 1024 * 1024


@given(first=st.integers(0, 3100), limit=st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_a_slice_of_a_long_array_is_that_slice(model: Path, first: int, limit: int) -> None:
    found = read_strings(read_header(model), "tokenizer.ggml.tokens", first=first, limit=limit)

    assert found == [f"token{number}" for number in range(3000)][first : first + limit]


def test_long_strings_cross_chunks_unharmed(tmp_path: Path) -> None:
    values = [bytes([97 + number % 26]) * (300_000 + number) for number in range(12)]
    path = tmp_path / "long.gguf"
    path.write_bytes(header(field("k", ARRAY, U32.pack(STRING) + U64.pack(12) + b"".join(map(text, values))), field("after", BOOL, b"\1")))

    read = read_header(path)

    assert [value.encode() for value in read_strings(read, "k")] == values
    assert read.flag("after")
