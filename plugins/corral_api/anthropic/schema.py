"""Which JSON Anthropic's Messages API reads and writes; its field names live here and nowhere else."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from corral_api.schema import DebugInfo, Report

# -- requests ---------------------------------------------------------------------------------------------------------


class Source(Struct):
    """Where the bytes of an image are: here, as base64."""

    type: str = ""
    media_type: str = ""
    data: str = ""


class InnerBlock(Struct):
    """A block inside the result of a tool."""

    type: str = ""
    text: str = ""
    source: Source | None = None


class Block(Struct):
    """A block of a turn; which fields count depends on its type."""

    type: str = ""
    text: str = ""
    thinking: str = ""
    source: Source | None = None
    id: str = ""
    name: str = ""
    input: dict[str, object] = {}
    tool_use_id: str = ""
    content: str | list[InnerBlock] = ""
    is_error: bool = False


class MessageIn(Struct):
    """One turn."""

    role: str
    content: str | list[Block] = ""


class ToolIn(Struct):
    """A tool that the model may call."""

    name: str
    description: str = ""
    input_schema: dict[str, object] = {}
    type: str = "custom"


class ToolChoiceIn(Struct):
    """Which calls are wanted."""

    type: Literal["auto", "any", "tool", "none"]
    name: str = ""
    disable_parallel_tool_use: bool = False


class ThinkingIn(Struct):
    """Whether to think."""

    type: str
    budget_tokens: int = 0


class OutputFormat(Struct):
    """How the answer is structured."""

    type: str
    schema: dict[str, object] | None = None


class OutputConfig(Struct):
    """How much effort, and which structure."""

    effort: str = ""
    format: OutputFormat | None = None


class TokensRequest(Struct):
    """POST /v1/messages/count_tokens."""

    model: str = ""
    messages: list[MessageIn] = []
    system: str | list[InnerBlock] = ""
    tools: list[ToolIn] = []
    tool_choice: ToolChoiceIn | None = None
    thinking: ThinkingIn | None = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None
    options: dict[str, object] = {}


class MessagesRequest(TokensRequest):
    """POST /v1/messages; the last four fields are corral's own."""

    max_tokens: int | None = None
    stop_sequences: list[str] = []
    stream: bool = False
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    keep_alive: bool | float | str | None = None
    truncate: bool = False
    debug_render_only: bool = field(default=False, name="_debug_render_only")


# -- answers ----------------------------------------------------------------------------------------------------------


class TextOut(Struct, tag="text"):
    """A block of text."""

    text: str


class ThinkingOut(Struct, tag="thinking"):
    """A block of reasoning. corral signs nothing: a local model's reasoning needs no seal to be read again."""

    thinking: str
    signature: str = ""


class ToolUseOut(Struct, tag="tool_use"):
    """A block that calls a tool."""

    id: str
    name: str
    input: dict[str, object]


class UsageOut(Struct):
    """What an answer cost; `input_tokens` are the ones that were evaluated."""

    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0


class MessageOut(Struct, omit_defaults=True, tag="message"):
    """A whole answer, or its empty beginning."""

    id: str
    role: str
    model: str
    content: list[TextOut | ThinkingOut | ToolUseOut]
    stop_reason: str | None
    stop_sequence: str | None
    usage: UsageOut
    debug_info: DebugInfo | None = field(default=None, name="_debug_info")
    corral: Report | None = None


class MessageStart(Struct, tag="message_start"):
    """The first event of a stream."""

    message: MessageOut


class BlockStart(Struct, tag="content_block_start"):
    """A block begins."""

    index: int
    content_block: TextOut | ThinkingOut | ToolUseOut


class TextDelta(Struct, tag="text_delta"):
    """More text."""

    text: str


class ThinkingDeltaOut(Struct, tag="thinking_delta"):
    """More reasoning."""

    thinking: str


class InputDelta(Struct, tag="input_json_delta"):
    """More of the JSON text of a call's input."""

    partial_json: str


class BlockDelta(Struct, tag="content_block_delta"):
    """A block goes on."""

    index: int
    delta: TextDelta | ThinkingDeltaOut | InputDelta


class BlockStop(Struct, tag="content_block_stop"):
    """A block is over."""

    index: int


class StopOut(Struct):
    """Why the answer ended."""

    stop_reason: str
    stop_sequence: str | None


class MessageDelta(Struct, omit_defaults=True, tag="message_delta"):
    """The end of the answer, with what it cost."""

    delta: StopOut
    usage: UsageOut
    corral: Report | None = None


class MessageStop(Struct, tag="message_stop"):
    """The last event of a stream."""


class Ping(Struct, tag="ping"):
    """A sign of life."""


class ErrorDetail(Struct):
    """What went wrong."""

    type: str
    message: str


class ErrorOut(Struct, tag="error"):
    """Any failure, alone or as the last event of a stream."""

    error: ErrorDetail
    request_id: str


class TokensAnswer(Struct):
    """The answer of count_tokens."""

    input_tokens: int
