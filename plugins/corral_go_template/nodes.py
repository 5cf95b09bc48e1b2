"""The parts of a parsed Go template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal: a string, a number, a boolean, or nil."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Field:
    """`.A.B` of dot (`base` None), of a variable, or of a parenthesized pipeline."""

    names: tuple[str, ...]
    base: Variable | Pipeline | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`; `$` is the template's data."""

    name: str


@dataclass(frozen=True, slots=True)
class Word:
    """The name of a function."""

    name: str


@dataclass(frozen=True, slots=True)
class Command:
    """A function with its arguments, or a single value."""

    parts: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each fed with the value of the one before; the result may be declared or assigned to variables."""

    commands: tuple[Command, ...]
    line: int
    variables: tuple[str, ...] = ()
    declares: bool = False


Operand: TypeAlias = Constant | Field | Variable | Word | Pipeline


@dataclass(frozen=True, slots=True)
class Text:
    """Text outside of actions."""

    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """`{{ pipeline }}`."""

    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class If:
    """`{{ if }} … {{ else }} … {{ end }}`."""

    pipeline: Pipeline
    then: Nodes
    otherwise: Nodes = ()


@dataclass(frozen=True, slots=True)
class With:
    """`{{ with }} … {{ else }} … {{ end }}`."""

    pipeline: Pipeline
    then: Nodes
    otherwise: Nodes = ()


@dataclass(frozen=True, slots=True)
class Range:
    """`{{ range }} … {{ else }} … {{ end }}`."""

    pipeline: Pipeline
    then: Nodes
    otherwise: Nodes = ()


@dataclass(frozen=True, slots=True)
class Call:
    """`{{ template "name" pipeline }}`."""

    name: str
    pipeline: Pipeline | None
    line: int


@dataclass(frozen=True, slots=True)
class Break:
    """`{{ break }}`."""


@dataclass(frozen=True, slots=True)
class Continue:
    """`{{ continue }}`."""


Node: TypeAlias = Text | Action | If | With | Range | Call | Break | Continue
Nodes: TypeAlias = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template and the templates it defines."""

    nodes: Nodes
    defined: tuple[tuple[str, Nodes], ...] = ()
