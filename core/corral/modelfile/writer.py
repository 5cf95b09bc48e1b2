"""How a Modelfile is written so that it reads back the same, in Ollama's notation wherever that can hold it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from corral.errors import InvalidModelfile
from corral.modelfile.reader import Reader
from corral.modelfile.values import Instruction, Keyword, Modelfile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.conversation import Json


def show(modelfile: Modelfile) -> str:
    """Return the text of a Modelfile; `parse` reads the same instructions from it."""
    return "".join(f"{_show(instruction)}\n" for instruction in modelfile.instructions)


def parameter_texts(name: str, value: Json) -> Iterator[Instruction]:
    """Yield the PARAMETER instructions that give an option its value."""
    for item in value if isinstance(value, list) else [value]:
        # 4096.0, as some programs store it, would not be read as the whole number that it is.
        plain = int(item) if isinstance(item, float) and item.is_integer() else item
        yield Instruction(Keyword.PARAMETER, plain if isinstance(plain, str) else json.dumps(plain), name)


def _show(instruction: Instruction) -> str:
    words = (instruction.keyword.value, instruction.argument, quote(instruction.value))
    return " ".join(word for word in words if word)


def quote(value: str) -> str:
    """Return a value as a Modelfile has it: the plainest of the notations that reads back as the same text.

    The first three are Ollama's. The last one, `$` and a JSON string, is for texts that Ollama's can't hold:
    some line inside them ends with three quotes, or they have a NUL.
    """
    fences = ('"""', '"') if '"' in value else ('"', '"""')
    for candidate in (value, *(f"{fence}{value}{fence}" for fence in fences)):
        if _reads_back(candidate, value):
            return candidate
    return f"${json.dumps(value)}"


def _reads_back(written: str, value: str) -> bool:
    # Ollama trims all of Unicode's blanks where corral trims spaces and tabs; quotes keep both of them right.
    if not written or "\0" in written or written != written.strip():
        return False
    reader = Reader(written)
    try:
        return reader.value() == value and reader.at == len(written)
    except InvalidModelfile:
        return False
