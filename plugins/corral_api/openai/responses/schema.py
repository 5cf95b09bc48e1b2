"""Which JSON OpenAI's responses read and write as documents; the events of their streams are in `events`."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct, field

from corral_api.openai.schema import CachedOut, Reasoning, ReasoningTokens
from corral_api.schema import DebugInfo, Report

#: Whatever JSON a client sent; `object` itself is the name of a key here.
AnyJson: TypeAlias = object

# -- requests ---------------------------------------------------------------------------------------------------------


class PartIn(Struct):
    """A part of an item's content."""

    type: str = ""
    text: str = ""
    refusal: str = ""
    image_url: str = ""


class SummaryIn(Struct):
    """A part of a reasoning item."""

    text: str = ""
    type: str = ""


class ItemIn(Struct):
    """An item of the input; which fields count depends on its type."""

    type: str = ""
    role: str = ""
    content: str | list[PartIn] | None = None
    call_id: str = ""
    name: str = ""
    arguments: str | dict[str, object] = ""
    output: str | list[PartIn] = ""
    summary: list[SummaryIn] = []
    encrypted_content: str = ""


class FormatIn(Struct):
    """How the answer is structured."""

    type: str = "text"
    name: str = ""
    schema: dict[str, object] | None = None
    strict: bool = False
    description: str = ""


class TextIn(Struct):
    """Settings of the answer's text."""

    format: FormatIn | None = None
    verbosity: str = ""


class ToolChoiceIn(Struct):
    """The tool that must be called."""

    type: str
    name: str = ""


class ResponsesRequest(Struct):
    """POST /v1/responses; the last block is corral's own."""

    model: str = ""
    input: str | list[ItemIn] = ""
    instructions: str = ""
    previous_response_id: str = ""
    store: bool = True
    stream: bool = False
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int | None = None
    tools: list[dict[str, object]] = []
    tool_choice: Literal["none", "auto", "required"] | ToolChoiceIn = "auto"
    parallel_tool_calls: bool = True
    reasoning: Reasoning | None = None
    text: TextIn | None = None
    truncation: Literal["auto", "disabled"] = "disabled"
    metadata: dict[str, str] = {}
    include: list[str] = []
    user: str = ""
    background: bool = False
    options: dict[str, object] = {}
    keep_alive: bool | float | str | None = None
    debug_render_only: bool = field(default=False, name="_debug_render_only")


# -- answers ----------------------------------------------------------------------------------------------------------


class TextPart(Struct, tag="output_text"):
    """A text of an answer."""

    text: str
    annotations: list[object] = []
    logprobs: list[object] = []


class MessageItem(Struct, tag="message"):
    """What the model says."""

    id: str
    status: str
    content: list[TextPart]
    role: str = "assistant"


class SummaryPart(Struct, tag="summary_text"):
    """A text of reasoning."""

    text: str


class ReasoningItem(Struct, tag="reasoning"):
    """What the model thinks. It is not encrypted: the client may read it, and send it back as it is."""

    id: str
    summary: list[SummaryPart]
    encrypted_content: str | None = None
    status: str = "completed"


class CallItem(Struct, tag="function_call"):
    """A call."""

    id: str
    call_id: str
    name: str
    arguments: str
    status: str = "completed"


class UsageOut(Struct):
    """What a response cost."""

    input_tokens: int
    input_tokens_details: CachedOut
    output_tokens: int
    output_tokens_details: ReasoningTokens
    total_tokens: int


class IncompleteOut(Struct):
    """Why a response is incomplete."""

    reason: str


class ErrorOut(Struct):
    """Why a response failed."""

    code: str
    message: str


class ReasoningOut(Struct):
    """How much thinking was asked for."""

    effort: str | None
    summary: str | None


class TextOut(Struct):
    """How the text was asked for."""

    format: dict[str, object]


class ResponseOut(Struct, omit_defaults=True):
    """A response; the keys up to `metadata` are always there."""

    id: str
    object: str
    created_at: int
    completed_at: int | None
    status: str
    background: bool
    error: ErrorOut | None
    incomplete_details: IncompleteOut | None
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    model: str
    output: list[MessageItem | ReasoningItem | CallItem]
    parallel_tool_calls: bool
    previous_response_id: str | None
    reasoning: ReasoningOut
    service_tier: str
    store: bool
    temperature: float | None
    text: TextOut
    tool_choice: AnyJson
    tools: list[dict[str, AnyJson]]
    top_logprobs: int
    top_p: float | None
    truncation: str
    usage: UsageOut | None
    user: str | None
    metadata: dict[str, str]
    debug_info: DebugInfo | None = field(default=None, name="_debug_info")
    corral: Report | None = None


class DeletedOut(Struct):
    """That a stored response is gone."""

    id: str
    object: str = "response"
    deleted: bool = True


class InputItemsOut(Struct):
    """What a stored response was asked."""

    data: list[dict[str, AnyJson]]
    first_id: str | None
    last_id: str | None
    has_more: bool = False
    object: str = "list"
