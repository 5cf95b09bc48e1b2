"""What a Modelfile says, and how to write one that says the same: parsing and printing are inverse."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING

from corral import options
from corral.conversation import Json, JsonObject, Message
from corral.errors import InvalidModelfile, InvalidOption

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_CHARACTERS = 16 * 1024 * 1024
ROLES = ("system", "user", "assistant")

_BLANK = " \t"
_LINE_END = re.compile(r"\r\n|\r|\n")
_WORD = re.compile(r"[^ \t\r\n]+")
_BLANKS = re.compile(r"[ \t]*")
_REST = re.compile(r"[^\r\n]*")
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


def parse(content: str | bytes) -> Modelfile:
    """Return what a Modelfile says; raise InvalidModelfile with the line and column of the first mistake."""
    text = _decode(content) if isinstance(content, bytes) else content
    if len(text) > _MAX_CHARACTERS:
        raise InvalidModelfile(f"a Modelfile of {len(text)} characters is over the limit of {_MAX_CHARACTERS}", line=1)
    reader = _Reader(text.removeprefix("\ufeff"))
    instructions = tuple(reader.instructions())
    if not any(i.keyword is Keyword.FROM for i in instructions):
        raise InvalidModelfile("no FROM line", line=reader.line)
    return Modelfile(instructions)


def show(modelfile: Modelfile) -> str:
    """Return the text of a Modelfile; `parse` reads the same instructions from it."""
    return "".join(f"{_show(instruction)}\n" for instruction in modelfile.instructions)


def parameter_texts(name: str, value: Json) -> Iterator[Instruction]:
    """Yield the PARAMETER instructions that give an option its value."""
    for item in value if isinstance(value, list) else [value]:
        yield Instruction(Keyword.PARAMETER, item if isinstance(item, str) else json.dumps(item), name)


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
    reader = _Reader(written)
    try:
        return reader.value() == value and reader.at == len(written)
    except InvalidModelfile:
        return False


class _Reader:
    """A place in the text of a Modelfile."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self._line_start = 0

    def instructions(self) -> Iterator[Instruction]:
        while self.at < len(self.text):
            self._skip(_BLANKS)
            if self.text.startswith("#", self.at):
                self._skip(_REST)
            elif _WORD.match(self.text, self.at):
                yield self._instruction()
            self._end_line()

    def _instruction(self) -> Instruction:
        line, column = self.line, self.at - self._line_start + 1
        keyword = self._keyword()
        argument = ""
        if keyword is Keyword.PARAMETER:
            argument = self._parameter_name()
        elif keyword is Keyword.MESSAGE:
            argument = self._role()
        self._skip(_BLANKS)
        value_line, value_column = self.line, self.at - self._line_start + 1
        value = self.value()
        instruction = Instruction(keyword, value, argument, line, column)
        _check(instruction, value_line, value_column)
        return instruction

    def _keyword(self) -> Keyword:
        start = self.at
        word = self._word()
        try:
            return Keyword(word.upper())
        except ValueError:
            close = get_close_matches(word.upper(), [k.value for k in Keyword], n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            names = ", ".join(f'"{keyword.value.lower()}"' for keyword in Keyword)
            raise self._error(f"{hint}command must be one of {names}, not {word[:40]!r}", start) from None

    def _parameter_name(self) -> str:
        self._skip(_BLANKS)
        start = self.at
        name = self._word()
        if name in options.KINDS or name in options.RETIRED:
            return name
        close = get_close_matches(name, list(options.KINDS), n=1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        raise self._error(f"unknown parameter '{name[:40]}'{hint}", start)

    def _role(self) -> str:
        self._skip(_BLANKS)
        start = self.at
        role = self._word()
        if role in ROLES:
            return role
        raise self._error('message role must be one of "system", "user", or "assistant"', start)

    def value(self) -> str:
        """Read the value that begins here, up to the end of its last line."""
        for fence in ('"""', '"'):
            if self.text.startswith(fence, self.at):
                return self._quoted(fence)
        start = self.at
        rest = self._skip(_REST).rstrip(_BLANK)
        if rest.startswith('$"') and (escaped := _json_string(rest[1:])) is not None:
            return escaped
        if "\0" in rest:
            raise self._error("a NUL character; is this a text file?", start + rest.index("\0"))
        return rest

    def _quoted(self, fence: str) -> str:
        """Read up to the first line that ends with the fence: quotes inside a line need no escape."""
        line, column = self.line, self.at - self._line_start + 1
        start = self.at + len(fence)
        self.at = start
        while True:
            rest = self._skip(_REST)
            if "\0" in rest:
                raise self._error("a NUL character; is this a text file?", self.at - len(rest) + rest.index("\0"))
            closing = self.at - len(rest) + len(rest.rstrip(_BLANK)) - len(fence)
            if closing >= start and self.text.startswith(fence, closing):
                return self.text[start:closing]
            if self.at == len(self.text):
                raise InvalidModelfile(
                    f"the quote that opens here is not closed: no line after it ends with {fence}", line=line, column=column
                )
            self._end_line()

    def _word(self) -> str:
        return self._skip(_WORD)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match[0]

    def _end_line(self) -> None:
        match = _LINE_END.match(self.text, self.at)
        if match:
            self.at = self._line_start = match.end()
            self.line += 1

    def _error(self, message: str, at: int) -> InvalidModelfile:
        return InvalidModelfile(message, line=self.line, column=at - self._line_start + 1)


def _check(instruction: Instruction, line: int, column: int) -> None:
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


def _json_string(text: str) -> str | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, str) else None


def _decode(content: bytes) -> str:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        raise InvalidModelfile(f"not {encoding} text: {error.reason}", line=line, column=len(before) - before.rfind(b"\n")) from None
