"""What a GGUF file says of itself, read without trusting it."""

from __future__ import annotations

from corral.gguf.facts import ENCODERS, facts
from corral.gguf.header import Array, Header, Scalar, Tensor, Value
from corral.gguf.layers import Attention, Weights, attention, weights
from corral.gguf.naming import named
from corral.gguf.reader import read_header, read_numbers, read_strings

__all__ = [
    "ENCODERS",
    "Array",
    "Attention",
    "Header",
    "Scalar",
    "Tensor",
    "Value",
    "Weights",
    "attention",
    "facts",
    "named",
    "read_header",
    "read_numbers",
    "read_strings",
    "weights",
]
