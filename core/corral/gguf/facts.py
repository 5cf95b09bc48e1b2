"""What a person, a renderer and a scheduler want to know about a model, from its header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.gguf.header import Array, Value
from corral.gguf.reader import read_strings
from corral.gguf.tables import FILE_TYPES, STRING
from corral.spec import ModelFacts

if TYPE_CHECKING:
    from corral.gguf.header import Header

_TOKENS = "tokenizer.ggml.tokens"
_TEMPLATE = "tokenizer.chat_template"
#: They read a text as a whole: no head predicts the next token, and no cache is kept.
ENCODERS = frozenset(
    {
        "bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "modern-bert", "eurobert", "jina-bert-v2", "jina-bert-v3",
        "gemma-embedding",
    }
)  # fmt: skip
_EMBEDDERS = ENCODERS | {"t5encoder"}
# The pooling type of models with a head that ranks.
_RANK = 4
# Tokenizers that put BOS in front when the file does not say so, as llama.cpp has it: by model, or by pre-tokenizer.
_ADDS_BOS = frozenset({"llama", "bert"})
_ADDS_BOS_PRE = frozenset({"llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "tekken", "chameleon"})


def facts(header: Header) -> ModelFacts:
    """Return what the header says about its model."""
    architecture = header.architecture
    return ModelFacts(
        architecture=architecture,
        name=header.text("general.name"),
        parameter_count=sum(tensor.elements for tensor in header.tensors),
        file_type=_file_type(header),
        context_length=header.integer(f"{architecture}.context_length"),
        embedding_length=header.integer(f"{architecture}.embedding_length"),
        block_count=header.integer(f"{architecture}.block_count"),
        vocabulary_size=header.count(_TOKENS) or header.integer(f"{architecture}.vocab_size"),
        chat_template=header.text(_TEMPLATE),
        chat_templates=_named_templates(header),
        bos_token=_token(header, "tokenizer.ggml.bos_token_id"),
        eos_token=_token(header, "tokenizer.ggml.eos_token_id"),
        adds_bos=header.flag("tokenizer.ggml.add_bos_token", default=_adds_bos_by_default(header)),
        is_reranker=header.integer(f"{architecture}.pooling_type") == _RANK and _has_head(header),
        is_embedding=architecture in _EMBEDDERS or f"{architecture}.pooling_type" in header.fields,
    )


def _has_head(header: Header) -> bool:
    return any(tensor.name in ("cls.weight", "cls.output.weight") for tensor in header.tensors)


def _file_type(header: Header) -> str:
    number = header.integer("general.file_type", -1)
    if number in FILE_TYPES:
        return FILE_TYPES[number]
    weights: dict[str, int] = {}
    for tensor in header.tensors:
        weights[tensor.type.name] = weights.get(tensor.type.name, 0) + tensor.size
    return max(weights, key=weights.__getitem__, default="")


def _named_templates(header: Header) -> tuple[tuple[str, str], ...]:
    prefix = f"{_TEMPLATE}."
    return tuple((key.removeprefix(prefix), header.text(key)) for key in header.fields if key.startswith(prefix))


def _token(header: Header, key: str) -> str:
    tokens = header.fields.get(_TOKENS)
    if not isinstance(header.fields.get(key), Value) or not isinstance(tokens, Array) or tokens.kind != STRING:
        return ""
    number = header.integer(key)
    return "".join(read_strings(header, _TOKENS, first=number, limit=1)) if number >= 0 else ""


def _adds_bos_by_default(header: Header) -> bool:
    return header.text("tokenizer.ggml.model") in _ADDS_BOS or header.text("tokenizer.ggml.pre") in _ADDS_BOS_PRE
