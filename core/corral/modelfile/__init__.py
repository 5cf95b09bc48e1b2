"""What a Modelfile says, and how to write one that says the same: parsing and printing are inverse."""

from __future__ import annotations

from corral.modelfile.reader import parse
from corral.modelfile.values import Instruction, Keyword, Modelfile
from corral.modelfile.writer import parameter_texts, quote, show

__all__ = ["Instruction", "Keyword", "Modelfile", "parameter_texts", "parse", "quote", "show"]
