"""What is said to a model: messages, tools, and the prompt that a renderer makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = "dict[str, Json]"

#: None leaves the choice to the model's format; a string is a level the format declares ("low", "medium", "high", "max").
Think: TypeAlias = "bool | str | None"

#: None is free text, "json" any JSON value, a dict a JSON Schema.
Format: TypeAlias = "Literal['json'] | JsonObject | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call that an assistant made in an earlier turn; arguments keep their order."""

    name: str
    arguments: JsonObject
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn. `role` is system, user, assistant or tool; other roles reach the renderer as they are."""

    role: str
    content: str = ""
    thinking: str = ""
    images: tuple[bytes, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    #: For role tool: which tool answered, and which call it answers.
    tool_name: str = ""
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTool:
    """The tool that must be called."""

    name: str


#: auto: the model decides; none: no calls; required: at least one call.
ToolChoice: TypeAlias = "Literal['auto', 'none', 'required'] | NamedTool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """All that one request says to a model.

    `tools` are the client's own JSON objects (`{"type": "function", "function": {...}}`), untouched and in order,
    because reference templates iterate over them. `options` are the request's own PARAMETERs, not merged with the model's.
    """

    messages: tuple[Message, ...]
    tools: tuple[JsonObject, ...] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    think: Think = None
    format: Format = None
    options: JsonObject = field(default_factory=dict)
    #: A Go template that replaces the model's own for this request; empty for none.
    template: str = ""
    #: Text after the insertion point, for models that fill in the middle; empty for none.
    suffix: str = ""
    #: Extra variables for Jinja templates (`chat_template_kwargs` of other servers).
    template_arguments: JsonObject = field(default_factory=dict)


class SegmentKind(Enum):
    """Who wrote a piece of prompt; only `CONTROL` text may become special tokens."""

    CONTROL = "control"
    USER = "user"
    MEDIA = "media"


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of prompt text; `media` holds the bytes of an image or a sound for kind MEDIA."""

    text: str
    kind: SegmentKind = SegmentKind.CONTROL
    media: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    r"""A rendered conversation.

    `suffix` is the control text after the last assistant header, as the model continues it (`"<think>\\n"`, a prefilled
    answer, or nothing): a parser starts in the state that it implies. `stop` are strings that end the answer.
    """

    segments: tuple[Segment, ...]
    stop: tuple[str, ...] = ()
    suffix: str = ""

    @property
    def text(self) -> str:
        """Return the whole prompt as one string."""
        return "".join(segment.text for segment in self.segments)

    @property
    def media(self) -> tuple[bytes, ...]:
        """Return the media in the order of the prompt."""
        return tuple(s.media for s in self.segments if s.kind is SegmentKind.MEDIA)
