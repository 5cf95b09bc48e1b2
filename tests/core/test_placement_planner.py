"""From a file on disk to its footprint, its placement and the books behind that."""

from __future__ import annotations

from dataclasses import replace

import gguf
import numpy as np
import pytest
from bert_models import random_bert, write_bert

from corral.devices import Device, DeviceKind
from corral.errors import InvalidGGUF, StoreError
from corral.gguf import read_header
from corral.options import LoadOptions
from corral.placement import Conditions, Explanation, Planner, Shortage, measure
from corral.settings import Settings
from corral.testing import model_spec, tiny_gguf

MIB = 1024 * 1024
CPU = Device(backend="cpu", id="cpu", name="CPU", kind=DeviceKind.CPU, total_bytes=1024 * MIB, free_bytes=512 * MIB)
GPU = Device(
    backend="CUDA",
    id="GPU-1",
    name="CUDA0",
    kind=DeviceKind.GPU,
    total_bytes=458 * MIB,
    free_bytes=458 * MIB,
    runners=frozenset({"scripted"}),
)


@pytest.fixture
def write_model(tmp_path):
    """Return a function that writes a model of three blocks, 16 wide, with a vocabulary of 32."""

    def write(*, tied: bool, kv_heads=2, **more):
        writer = gguf.GGUFWriter(tmp_path / "model.gguf", "llama")
        writer.add_block_count(3)
        writer.add_context_length(64)
        writer.add_embedding_length(16)
        writer.add_feed_forward_length(48)
        writer.add_head_count(4)
        writer.add_head_count_kv(kv_heads)
        writer.add_vocab_size(32)
        for key, value in more.items():
            writer.add_uint32(f"llama.{key.replace('__', '.')}", value)
        writer.add_tensor("token_embd.weight", np.zeros((32, 16), np.float32))
        for block in range(3):
            writer.add_tensor(f"blk.{block}.attn_q.weight", np.zeros((16, 16), np.float32))
        writer.add_tensor("output_norm.weight", np.zeros(16, np.float32))
        if not tied:
            writer.add_tensor("output.weight", np.zeros((32, 16), np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return tmp_path / "model.gguf"

    return write


def test_the_footprint_of_a_model_has_the_bytes_of_its_layers(write_model):
    size = measure(read_header(write_model(tied=False)))

    assert [block.weights_bytes for block in size.blocks] == [1024] * 3
    assert (size.input_bytes, size.output_bytes, size.tied_bytes) == (2048, 2048 + 64, 0)
    assert (size.embedding_length, size.vocabulary_size, size.feed_forward_length, size.head_count) == (16, 32, 48, 4)
    assert size.file_bytes == 3 * 1024 + 2 * 2048 + 64


def test_an_encoder_keeps_no_cache(tmp_path):
    size = measure(read_header(write_bert(tmp_path / "m.gguf", random_bert(), pooling="mean")))

    assert size.layer_caches(4096, 16, ("f16", "f16")) == [0, 0, 0]
    assert size.can_flash


def test_a_tied_head_is_a_copy_of_the_embeddings(write_model):
    size = measure(read_header(write_model(tied=True)))

    assert (size.output_bytes, size.tied_bytes) == (2048 + 64, 2048)
    assert size.file_bytes == 3 * 1024 + 2048 + 64


def test_the_cache_follows_the_heads_of_each_block(write_model):
    path = write_model(tied=True, kv_heads=[2, 0, 1], ssm__inner_size=8, ssm__state_size=4, ssm__conv_kernel=3, ssm__group_count=1)

    size = measure(read_header(path))

    assert [block.key_elements for block in size.blocks] == [8, 0, 4]
    # (3 - 1) * (8 + 2 * 1 * 4) of the convolution and 8 * 4 of the state, in f32.
    assert [block.state_bytes for block in size.blocks] == [0, 256, 0]
    assert size.layer_caches(256, 2, ("f16", "f16")) == [256 * 2 * 16, 512, 256 * 2 * 8, 0]


def test_heads_of_different_lengths_rule_flash_attention_out(write_model):
    assert measure(read_header(write_model(tied=True))).can_flash
    assert not measure(read_header(write_model(tied=True, attention__key_length=8, attention__value_length=4))).can_flash


def spec_of(path, **load):
    return replace(model_spec(), path=path, load=LoadOptions(**load))


def test_a_header_is_read_once_until_the_file_changes(write_model):
    path = write_model(tied=True)
    read = []
    planner = Planner(Settings(), lambda path: read.append(path) or read_header(path))

    for _ in range(3):
        planner.plan(spec_of(path), [CPU], Conditions())

    assert read == [path]


def test_a_file_that_is_gone_is_told(tmp_path):
    """F65: deleted while requests for it wait."""
    with pytest.raises(StoreError, match="the weights of 'test:latest' can't be read: No such file"):
        Planner(Settings()).plan(spec_of(tmp_path / "gone.gguf"), [CPU], Conditions())


def test_a_file_that_is_no_model_is_told(tmp_path):
    path = tmp_path / "text.gguf"
    path.write_text("no model")

    with pytest.raises(InvalidGGUF):
        Planner(Settings()).plan(spec_of(path), [CPU], Conditions())


def test_a_header_without_tensors_can_be_placed(tmp_path):
    placement = Planner(Settings()).plan(spec_of(tiny_gguf(tmp_path / "tiny.gguf")), [CPU], Conditions())

    assert not isinstance(placement, Shortage)
    assert placement.total_layers >= 1


def test_a_placement_is_explained_by_its_books(write_model):
    path = write_model(tied=True)
    # Room for the device's own needs, the batch and two blocks, but not for all of them, nor for the output layer.
    wanted = spec_of(path, num_ctx=64, num_parallel=1)
    full = replace(GPU, free_bytes=457 * MIB)
    batch = Planner(Settings()).explain(wanted, [CPU, full], Conditions()).devices[0].compute_bytes
    tight = replace(GPU, free_bytes=457 * MIB + batch + 2 * (1024 + 2 * 256 * 16) + 5)

    found = Planner(Settings()).explain(wanted, [CPU, tight], Conditions())

    assert isinstance(found, Explanation)
    (account,) = found.devices
    taken = account.weights_bytes + account.cache_bytes + account.compute_bytes
    assert account.layers == 2
    assert account.left_bytes == 5
    assert account.free_bytes == account.reserved_bytes + taken + account.left_bytes
    assert account.reserved_bytes == 457 * MIB
    assert found.next_layer_bytes == 1024 + 2 * 256 * 16
    assert found.placement.output_on_host
    assert found.host.layers == 2
    assert found.host.weights_bytes + found.host.cache_bytes + found.host.compute_bytes == found.placement.host_bytes
    assert any("2 of 4 layers" in reason for reason in found.reasons)


def test_a_draft_model_and_adapters_take_room_too(write_model, tmp_path):
    wanted, more = spec_of(write_model(tied=True)), tmp_path / "more.gguf"
    more.write_bytes(bytes(5000))
    planner = Planner(Settings())

    alone, together = (planner.plan(model, [CPU], Conditions()) for model in (wanted, replace(wanted, draft=more, adapters=(more,))))

    assert together.host_bytes == alone.host_bytes + 10_000


def test_what_does_not_fit_has_no_books(write_model):
    small = replace(CPU, free_bytes=1)

    assert isinstance(Planner(Settings()).explain(spec_of(write_model(tied=True)), [small], Conditions()), Shortage)
