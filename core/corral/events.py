"""What a model's answer is made of, as a parser reads it and an API writes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from corral.conversation import Conversation, JsonObject

FinishReason: TypeAlias = Literal["stop", "length", "cancelled", "error", "load", "unload"]


class CallStatus(Enum):
    """How well a tool call could be read."""

    OK = "ok"
    REPAIRED = "repaired"
    COERCION_FAILED = "coercion_failed"
    UNKNOWN_TOOL = "unknown_tool"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class ContentDelta:
    """Text of the answer; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """Text of the reasoning; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingEnd:
    """A block of reasoning is over: by its tag, by a tool call, or by the end of the output."""

    reason: Literal["tag", "tool", "eos"] = "tag"


@dataclass(frozen=True, slots=True)
class ToolCallStart:
    """A call whose name is known. `index` counts calls from 0; `id` is given by the host, parsers leave it empty."""

    index: int
    name: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class ToolCallArgsDelta:
    """A piece of the arguments' JSON text; the pieces of a call join to one JSON object."""

    index: int
    json: str


@dataclass(frozen=True, slots=True)
class ToolCallEnd:
    """A call that is over, with all its arguments and the text that the model wrote for it."""

    index: int
    name: str
    arguments: JsonObject
    status: CallStatus = CallStatus.OK
    raw: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something a person may want to know: a repair, a skip, a fallback. Never fatal; `raw` is the text it is about."""

    code: str
    message: str
    raw: str = ""


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A sampled token's text, bytes and natural-log probability."""

    text: str
    logprob: float
    data: bytes = b""
    top: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True)
class Logprobs:
    """Probabilities of the tokens sampled since the last such event."""

    tokens: tuple[TokenLogprob, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Counts of tokens and wall times in seconds.

    `cached_tokens` of the prompt were not evaluated again; `thinking_tokens` are those of the answer that became thinking.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    thinking_tokens: int = 0
    draft_tokens: int = 0
    accepted_tokens: int = 0
    prompt_s: float = 0.0
    completion_s: float = 0.0
    load_s: float = 0.0
    queue_s: float = 0.0
    total_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Finish:
    """The last event of an answer."""

    reason: FinishReason
    usage: Usage = field(default_factory=Usage)
    #: Tokens of the prompt and the answer, when the request asked for them.
    tokens: tuple[int, ...] = ()
    #: The stop string that ended the answer; empty when a token or a limit did.
    stop: str = ""


#: What a parser emits. The engine adds Logprobs and closes with Finish.
ParserEvent: TypeAlias = ContentDelta | ThinkingDelta | ThinkingEnd | ToolCallStart | ToolCallArgsDelta | ToolCallEnd | Diagnostic
Event: TypeAlias = ParserEvent | Logprobs | Finish


class OutputParser(Protocol):
    """Reads one answer, piece by piece; pieces may end anywhere, and where they end changes nothing."""

    def feed(self, piece: str) -> list[ParserEvent]:
        """Take the next piece of output and return what it completes."""

    def finish(self, reason: FinishReason) -> list[ParserEvent]:
        """Take the end of the output and return all that was held back; a second call returns nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """A GBNF grammar for the sampler. With `triggers` it sleeps until one of those strings has been written.

    A trigger's own text is part of what the grammar matches, as in llama.cpp's lazy grammars.
    """

    gbnf: str
    root: str = "root"
    triggers: tuple[str, ...] = ()


@runtime_checkable
class Constrains(Protocol):
    """A parser that can also force its format: calls when a tool must be called, structure after thinking."""

    def grammar(self, conversation: Conversation) -> Grammar | None:
        """Return the grammar that the conversation's tool choice and format ask for; None for free text."""
