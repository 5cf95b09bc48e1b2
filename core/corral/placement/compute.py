"""How much memory a batch needs on its way through a model, beside weights and cache.

llama.cpp plans its buffers for the largest moment of a full batch. Which moment that is was found by loading SmolLM2 with
contexts of 256 to 65,536, batches of 20 to 2,048, all cache types, with and without flash attention (llama.cpp 0.3.36).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral.placement.demand import Demand
    from corral.placement.footprint import Footprint

_F32 = 4
_F16 = 2


def compute_bytes(footprint: Footprint, demand: Demand, *, has_output: bool) -> int:
    """Return the bytes of a device that has some layers, and perhaps the output layer."""
    tokens = min(demand.batch_tokens, demand.cells)
    blocks = max(_attention(footprint, demand), _feed_forward(footprint))
    return tokens * max(blocks, _output(footprint, demand) if has_output else 0)


def input_bytes(footprint: Footprint, demand: Demand) -> int:
    """Return the bytes of the host when all layers are elsewhere: the batch's embeddings and its attention mask."""
    tokens = min(demand.batch_tokens, demand.cells)
    return tokens * (_F32 * footprint.embedding_length + _F16 * demand.cells)


def _output(footprint: Footprint, demand: Demand) -> int:
    """Return the bytes of a token where the logits of the whole vocabulary are made."""
    vectors = 2 if demand.has_flash and demand.is_full_cache else 3
    return _F32 * (footprint.vocabulary_size + vectors * footprint.embedding_length)


def _attention(footprint: Footprint, demand: Demand) -> int:
    """Return the bytes of a token where it looks back: without flash attention, one score per head and cell."""
    scores = _F16 if demand.has_flash else _F32 * (footprint.head_count + 1)
    elements = max((block.key_elements + block.value_elements for block in footprint.blocks), default=0)
    return demand.cells * scores + _F32 * (5 * footprint.embedding_length + elements)


def _feed_forward(footprint: Footprint) -> int:
    return _F32 * 2 * (footprint.feed_forward_length + footprint.embedding_length)
