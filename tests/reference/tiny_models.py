"""Small random models of the kinds that llama.cpp treats in ways of their own: by memory, or by what they are for.

One token is one byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import gguf
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

#: Two marks of turns, then the bytes.
START, END = "<|im_start|>", "<|im_end|>"
WORDS = 2 + 256
RANKING = f"{START}Query: {{query}}\nDocument: {{document}}{END}"
WINDOW = 16
#: Tokens of a prompt in one decode; llama.cpp computes attention to more than 63 in another way, with other last digits.
CHUNK = 32
_WIDTH, _FEED, _HEADS, _KV_HEADS, _HEAD = 64, 96, 4, 2, 16
_INNER, _STATE, _CONV, _RANK = 2 * _WIDTH, 16, 4, 4


def write_mamba(path: Path) -> Path:
    """Write a recurrent model: all it knows of the past is a state."""
    writer = _writer(path, "mamba", layers=2)
    _add_ssm(writer)
    shapes = {
        "attn_norm.weight": (_WIDTH,), "ssm_in.weight": (2 * _INNER, _WIDTH), "ssm_conv1d.weight": (_INNER, _CONV),
        "ssm_conv1d.bias": (_INNER,), "ssm_x.weight": (_RANK + 2 * _STATE, _INNER), "ssm_dt.weight": (_INNER, _RANK),
        "ssm_dt.bias": (_INNER,), "ssm_a": (_INNER, _STATE), "ssm_d": (_INNER,), "ssm_out.weight": (_WIDTH, _INNER),
    }  # fmt: skip
    return _write(writer, path, [shapes] * 2)


def write_hybrid(path: Path) -> Path:
    """Write a model whose first layer has a state and whose second one attends to all tokens."""
    writer = _writer(path, "granitehybrid", layers=2)
    _add_ssm(writer)
    writer.add_ssm_group_count(1)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv([0, _KV_HEADS])
    writer.add_rope_dimension_count(_HEAD)
    wide = _INNER + 2 * _STATE
    recurrent = {
        "ssm_in.weight": (_INNER + wide + _RANK, _WIDTH), "ssm_conv1d.weight": (wide, _CONV), "ssm_conv1d.bias": (wide,),
        "ssm_dt.bias": (_RANK,), "ssm_a": (_RANK, 1), "ssm_d": (_RANK, 1), "ssm_norm.weight": (1, _INNER),
        "ssm_out.weight": (_WIDTH, _INNER),
    }  # fmt: skip
    return _write(writer, path, [_feeding(recurrent), _feeding(_attending())])


def write_sliding(path: Path) -> Path:
    """Write a model whose layers see the last tokens only, all but one."""
    writer = _writer(path, "gemma3", layers=3)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_KV_HEADS)
    writer.add_key_length(_HEAD)
    writer.add_value_length(_HEAD)
    writer.add_sliding_window(WINDOW)
    writer.add_sliding_window_pattern([True, False, True])
    norms = {"attn_q_norm.weight": (_HEAD,), "attn_k_norm.weight": (_HEAD,)}
    after = {"post_attention_norm.weight": (_WIDTH,), "post_ffw_norm.weight": (_WIDTH,)}
    return _write(writer, path, [_feeding(_attending() | norms | after)] * 3)


def write_qwen3(path: Path, *, ranks: bool) -> Path:
    """Write a model whose last token stands for the text: by a vector, or by a yes or no to a document."""
    writer = _writer(path, "qwen3", layers=2)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_KV_HEADS)
    writer.add_key_length(_HEAD)
    writer.add_value_length(_HEAD)
    writer.add_pooling_type(gguf.PoolingType.RANK if ranks else gguf.PoolingType.LAST)
    if ranks:
        writer.add_classifier_output_labels(["yes", "no"])
        writer.add_chat_template([{"name": "rerank", "template": RANKING}])
        writer.add_tensor("cls.output.weight", np.random.default_rng(3).normal(0, 0.1, (2, _WIDTH)).astype(np.float32))
    norms = {"attn_q_norm.weight": (_HEAD,), "attn_k_norm.weight": (_HEAD,)}
    return _write(writer, path, [_feeding(_attending() | norms)] * 2)


WRITERS: Mapping[str, Callable[[Path], Path]] = {"mamba": write_mamba, "hybrid": write_hybrid, "sliding": write_sliding}


def _attending() -> dict[str, tuple[int, ...]]:
    keys, queries = _KV_HEADS * _HEAD, _HEADS * _HEAD
    return {
        "attn_q.weight": (queries, _WIDTH), "attn_k.weight": (keys, _WIDTH), "attn_v.weight": (keys, _WIDTH),
        "attn_output.weight": (_WIDTH, queries),
    }  # fmt: skip


def _feeding(shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return shapes | {
        "attn_norm.weight": (_WIDTH,), "ffn_norm.weight": (_WIDTH,), "ffn_gate.weight": (_FEED, _WIDTH),
        "ffn_up.weight": (_FEED, _WIDTH), "ffn_down.weight": (_WIDTH, _FEED),
    }  # fmt: skip


def _writer(path: Path, architecture: str, *, layers: int) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(f"a small {architecture}")
    writer.add_context_length(4096)
    writer.add_embedding_length(_WIDTH)
    writer.add_feed_forward_length(_FEED)
    writer.add_block_count(layers)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([START, END, *_letters()])
    writer.add_token_types([gguf.TokenType.CONTROL] * 2 + [gguf.TokenType.NORMAL] * 256)
    # There must be one; these bytes are in no UTF-8 text.
    writer.add_token_merges(["\u00ff \u00ff"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(False)
    return writer


def _add_ssm(writer: gguf.GGUFWriter) -> None:
    writer.add_ssm_conv_kernel(_CONV)
    writer.add_ssm_inner_size(_INNER)
    writer.add_ssm_state_size(_STATE)
    writer.add_ssm_time_step_rank(_RANK)


def _letters() -> list[str]:
    """Return the characters that stand for the bytes in vocabularies of GPT-2's kind: those that can be seen for themselves."""
    seen = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in seen]
    return [chr(byte) if byte in seen else chr(256 + hidden.index(byte)) for byte in range(256)]


def _write(writer: gguf.GGUFWriter, path: Path, layers: list[dict[str, tuple[int, ...]]]) -> Path:
    random = np.random.default_rng(7)
    shapes = {"token_embd.weight": (WORDS, _WIDTH), "output.weight": (WORDS, _WIDTH), "output_norm.weight": (_WIDTH,)}
    shapes |= {f"blk.{number}.{name}": shape for number, layer in enumerate(layers) for name, shape in layer.items()}
    for name, shape in shapes.items():
        writer.add_tensor(name, _values(random, name, shape))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _values(random: np.random.Generator, name: str, shape: tuple[int, ...]) -> Floats:
    some = random.normal(0, 1, shape).astype(np.float32)
    if name.endswith("ssm_a"):
        # States fade slowly, so that what was long ago still counts.
        return -np.exp(some - 2)
    if len(shape) == 1 or "norm" in name or name.endswith("ssm_d"):
        return 1 + some / 10 if "dt" not in name else some - 2
    return some / np.float32(np.sqrt(shape[-1]))
