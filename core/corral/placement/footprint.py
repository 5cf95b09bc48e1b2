"""What a model takes wherever it is put, by its GGUF header alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.gguf import ENCODERS, attention, weights

if TYPE_CHECKING:
    from corral.gguf import Attention, Header

#: Bytes per element of what a cache can hold; quantised ones carry a scale per 32 elements.
CACHE_BYTES = {"f32": 4.0, "f16": 2.0, "bf16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}
# llama.cpp rounds the cells of a cache up to this.
_CELLS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block: its weights, what a token takes in its cache (elements of K and of V), and its recurrent state."""

    weights_bytes: int
    key_elements: int = 0
    value_elements: int = 0
    #: Bytes per sequence, whatever the context.
    state_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """The sizes of a model that placement needs."""

    blocks: tuple[Block, ...]
    #: Token embeddings; they stay on the host.
    input_bytes: int
    #: Output norm and head.
    output_bytes: int
    #: Of these, what is a second copy of the embeddings: it takes memory only on another device than the host.
    tied_bytes: int = 0
    embedding_length: int = 0
    vocabulary_size: int = 0
    head_count: int = 0
    feed_forward_length: int = 0
    trained_context: int = 0
    #: Heads of K and V that differ rule flash attention out.
    can_flash: bool = True
    #: Files that are loaded beside the weights: the projector, the draft model, the adapters.
    companion_bytes: int = 0

    @property
    def total_layers(self) -> int:
        """Return the blocks and the output layer."""
        return len(self.blocks) + 1

    @property
    def file_bytes(self) -> int:
        """Return the weights as they are in the file."""
        return self.input_bytes + sum(self.layer_weights()) - self.tied_bytes

    def layer_weights(self) -> list[int]:
        """Return the weights of each block and of the output layer, as a GPU would hold them."""
        return [*(block.weights_bytes for block in self.blocks), self.output_bytes]

    def layer_caches(self, cells: int, sequences: int, types: tuple[str, str]) -> list[int]:
        """Return the cache of each block and of the output layer, for that many tokens over all sequences."""
        return [*(_cache(block, cells, sequences, types) for block in self.blocks), 0]


def measure(header: Header, *, companion_bytes: int = 0) -> Footprint:
    """Return the footprint of a model; raise InvalidGGUF for a key of the wrong type."""
    shape, sizes, prefix = attention(header), weights(header), header.architecture
    is_tied = not any(tensor.name == "output.weight" for tensor in header.tensors)
    tied_bytes = sum(t.size for t in header.tensors if t.name == "token_embd.weight") if is_tied else 0
    return Footprint(
        blocks=tuple(_block(shape, index, size, is_encoder=prefix in ENCODERS) for index, size in enumerate(sizes.blocks)),
        input_bytes=sizes.input,
        output_bytes=sizes.output + tied_bytes,
        tied_bytes=tied_bytes,
        embedding_length=header.integer(f"{prefix}.embedding_length"),
        vocabulary_size=header.count("tokenizer.ggml.tokens") or header.integer(f"{prefix}.vocab_size"),
        head_count=shape.head_count,
        feed_forward_length=max(header.integers(f"{prefix}.feed_forward_length"), default=0),
        trained_context=header.integer(f"{prefix}.context_length"),
        can_flash=shape.key_length == shape.value_length != 0,
        companion_bytes=companion_bytes,
    )


def _block(shape: Attention, index: int, weights_bytes: int, *, is_encoder: bool) -> Block:
    heads = shape.head_counts_kv[index] if index < len(shape.head_counts_kv) else 0
    cached = 0 if is_encoder else heads
    return Block(
        weights_bytes=weights_bytes,
        key_elements=cached * shape.key_length,
        value_elements=cached * shape.value_length,
        state_bytes=_state(shape) if heads == 0 else 0,
    )


def _state(shape: Attention) -> int:
    """Return the bytes of one sequence in a recurrent block: the convolution's window and the state, both f32."""
    window = max(0, shape.ssm_conv_kernel - 1) * (shape.ssm_inner_size + 2 * shape.ssm_group_count * shape.ssm_state_size)
    return 4 * (window + shape.ssm_inner_size * shape.ssm_state_size)


def _cache(block: Block, cells: int, sequences: int, types: tuple[str, str]) -> int:
    rounded = -(-cells // _CELLS) * _CELLS
    key, value = (CACHE_BYTES[name] for name in types)
    return int(rounded * (block.key_elements * key + block.value_elements * value)) + block.state_bytes * sequences
