"""How a model's weights and attention are spread over its layers: what placing it on devices needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral.gguf.header import Header

# More layers than this are a lie; a list of them would only cost memory.
_MAX_LAYERS = 4_096
_BLOCK = re.compile(r"(?:blk|enc\.blk|dec\.blk)\.(\d+)\.")
_INPUT = ("token_embd", "position_embd", "token_types", "per_layer_token_embd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Bytes of the tensors: of each repeating layer, of the token table, and of the rest (output head, norms)."""

    blocks: tuple[int, ...]
    input: int
    output: int

    @property
    def total(self) -> int:
        """Return the bytes of all tensors."""
        return sum(self.blocks) + self.input + self.output


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """The shape of the cache: heads of keys and values in each layer (0 for a recurrent one), and the length of each."""

    head_count: int
    head_counts_kv: tuple[int, ...]
    key_length: int
    value_length: int
    #: Tokens that a sliding-window layer sees; 0 when all layers see all.
    sliding_window: int = 0
    #: Bytes a sequence needs in recurrent layers are computed from these; 0 where the model has none.
    ssm_inner_size: int = 0
    ssm_state_size: int = 0
    ssm_conv_kernel: int = 0
    ssm_group_count: int = 0


def weights(header: Header) -> Weights:
    """Return how many bytes of weights each layer has."""
    found: dict[int, int] = {}
    entry, rest = 0, 0
    for tensor in header.tensors:
        match = _BLOCK.match(tensor.name)
        if match:
            found[int(match[1])] = found.get(int(match[1]), 0) + tensor.size
        elif tensor.name.startswith(_INPUT):
            entry += tensor.size
        else:
            rest += tensor.size
    return Weights(blocks=tuple(found[index] for index in sorted(found)), input=entry, output=rest)


def attention(header: Header) -> Attention:
    """Return the shape of the model's attention, with llama.cpp's defaults for what the header leaves out."""
    prefix = header.architecture
    heads = max(header.integers(f"{prefix}.attention.head_count"), default=0)
    default_length = header.integer(f"{prefix}.embedding_length") // heads if heads else 0
    return Attention(
        head_count=heads,
        head_counts_kv=_per_layer(header, f"{prefix}.attention.head_count_kv", heads),
        key_length=header.integer(f"{prefix}.attention.key_length", default_length),
        value_length=header.integer(f"{prefix}.attention.value_length", default_length),
        sliding_window=header.integer(f"{prefix}.attention.sliding_window"),
        ssm_inner_size=header.integer(f"{prefix}.ssm.inner_size"),
        ssm_state_size=header.integer(f"{prefix}.ssm.state_size"),
        ssm_conv_kernel=header.integer(f"{prefix}.ssm.conv_kernel"),
        ssm_group_count=header.integer(f"{prefix}.ssm.group_count"),
    )


def _per_layer(header: Header, key: str, default: int) -> tuple[int, ...]:
    counts = header.integers(key) or (default,)
    layers = header.integer(f"{header.architecture}.block_count")
    return counts if len(counts) > 1 else counts * max(0, min(layers, _MAX_LAYERS))
