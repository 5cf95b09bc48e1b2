"""What a Modelfile says, instruction by instruction, and which values an instruction can have."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from corral import options
from corral.conversation import Json, JsonObject, Message
from corral.errors import InvalidModelfile, InvalidOption

_VERSION = re.compile(r"v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")


class Keyword(Enum):
    """The instructions of a Modelfile."""

    FROM = "FROM"
    LICENSE = "LICENSE"
    TEMPLATE = "TEMPLATE"
    SYSTEM = "SYSTEM"
    ADAPTER = "ADAPTER"
    DRAFT = "DRAFT"
    RENDERER = "RENDERER"
    PARSER = "PARSER"
    RUNNER = "RUNNER"
    PARAMETER = "PARAMETER"
    MESSAGE = "MESSAGE"
    REQUIRES = "REQUIRES"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; `argument` is the name of a PARAMETER or the role of a MESSAGE. Its place does not count in comparisons."""

    keyword: Keyword
    value: str
    argument: str = ""
    line: int = field(default=0, compare=False)
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Modelfile:
    """The instructions of a Modelfile, in order."""

    instructions: tuple[Instruction, ...]

    def all(self, keyword: Keyword) -> tuple[str, ...]:
        """Return the values of an instruction, in order."""
        return tuple(i.value for i in self.instructions if i.keyword is keyword)

    def last(self, keyword: Keyword) -> str | None:
        """Return the value of an instruction of which the last one counts; None when there is none."""
        values = self.all(keyword)
        return values[-1] if values else None

    @property
    def messages(self) -> tuple[Message, ...]:
        """Return the MESSAGEs."""
        return tuple(Message(role=i.argument, content=i.value) for i in self.instructions if i.keyword is Keyword.MESSAGE)

    @property
    def parameters(self) -> JsonObject:
        """Return the PARAMETERs, typed: the last one counts, except that lists grow. Raises InvalidModelfile."""
        found: JsonObject = {}
        for instruction in self.instructions:
            if instruction.keyword is Keyword.PARAMETER and instruction.argument not in options.RETIRED:
                _add_parameter(found, instruction)
        return found

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return a line about each instruction that has no effect."""
        return tuple(
            f"(line {i.line}) parameter '{i.argument}' is retired and has no effect"
            for i in self.instructions
            if i.keyword is Keyword.PARAMETER and i.argument in options.RETIRED
        )


def check(instruction: Instruction, line: int, column: int) -> None:
    """Raise InvalidModelfile for a value that its instruction can't have."""
    match instruction.keyword:
        case Keyword.FROM | Keyword.ADAPTER | Keyword.DRAFT if not instruction.value:
            raise InvalidModelfile(f"{instruction.keyword.value} needs a value", line=line, column=column)
        case Keyword.REQUIRES if not _VERSION.fullmatch(instruction.value):
            raise InvalidModelfile("requires must be a valid semver (e.g. 0.14.0)", line=line, column=column)
        case Keyword.PARAMETER if instruction.argument not in options.RETIRED:
            _parameter(instruction, line, column)
        case _:
            return


def _parameter(instruction: Instruction, line: int, column: int) -> Json:
    try:
        value = options.from_text(instruction.argument, instruction.value)
        options.read(instruction.argument, value)
    except InvalidOption as error:
        raise InvalidModelfile(str(error), line=line, column=column) from None
    return value


def _add_parameter(found: JsonObject, instruction: Instruction) -> None:
    name = instruction.argument
    value = _parameter(instruction, instruction.line, instruction.column)
    earlier = found.get(name)
    if not options.KINDS[name].startswith("tuple"):
        found[name] = value
    elif isinstance(earlier, list):
        found[name] = [*earlier, value]
    else:
        found[name] = [value]
