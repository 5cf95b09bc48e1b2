"""Which JSON chat completions read and write."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from corral_api.openai.schema.shared import LogprobsOut, Reasoning, SamplingIn, UsageOut
from corral_api.schema import DebugInfo, Report


class ImageUrl(Struct):
    """Where an image is: a data URL."""

    url: str = ""
    detail: str = ""


class Part(Struct):
    """A part of a message's content."""

    type: str = ""
    text: str = ""
    refusal: str = ""
    image_url: str | ImageUrl | None = None


class FunctionIn(Struct):
    """The function of an earlier call; arguments are JSON text (or, from Ollama's habits, the object itself)."""

    name: str
    arguments: str | dict[str, object] = ""


class ToolCallIn(Struct):
    """A call in a message."""

    function: FunctionIn
    id: str = ""
    type: str = "function"


class MessageIn(Struct):
    """One turn."""

    role: str
    content: str | list[Part] | None = None
    name: str = ""
    reasoning: str = ""
    reasoning_content: str = ""
    tool_calls: list[ToolCallIn] = []
    tool_call_id: str = ""
    refusal: str = ""


class JsonSchemaIn(Struct):
    """A named JSON Schema."""

    schema: dict[str, object] | None = None
    name: str = ""
    strict: bool = False
    description: str = ""


class ResponseFormat(Struct):
    """How the answer is structured."""

    type: str
    json_schema: JsonSchemaIn | None = None


class NamedFunction(Struct):
    """The name of a function."""

    name: str


class ToolChoiceIn(Struct):
    """The tool that must be called."""

    type: str
    function: NamedFunction | None = None


class ChatRequest(SamplingIn):
    """POST /v1/chat/completions."""

    messages: list[MessageIn] = field(default_factory=list)
    tools: list[dict[str, object]] = field(default_factory=list)
    tool_choice: Literal["none", "auto", "required"] | ToolChoiceIn | None = None
    parallel_tool_calls: bool = True
    response_format: ResponseFormat | None = None
    reasoning: Reasoning | None = None
    reasoning_effort: str = ""
    max_completion_tokens: int | None = None
    logprobs: bool = False
    top_logprobs: int | None = None
    chat_template_kwargs: dict[str, object] = field(default_factory=dict)


class FunctionDelta(Struct, omit_defaults=True, kw_only=True):
    """A piece of a call: the name first, then the arguments' JSON text."""

    name: str = ""
    arguments: str


class ToolCallDelta(Struct, omit_defaults=True, kw_only=True):
    """A piece of a call; the first one of a call has its id."""

    index: int
    id: str = ""
    type: str = ""
    function: FunctionDelta


class Delta(Struct, omit_defaults=True):
    """What a chunk adds to the message."""

    role: str = ""
    content: str | None = None
    reasoning_content: str = ""
    reasoning: str = ""
    tool_calls: list[ToolCallDelta] = []


class ChunkChoice(Struct, omit_defaults=True):
    """What a chunk adds to one choice."""

    index: int
    delta: Delta
    finish_reason: str | None
    logprobs: LogprobsOut | None = None


class ChatChunk(Struct, omit_defaults=True):
    """A chunk of a streamed chat completion."""

    id: str
    object: str
    created: int
    model: str
    system_fingerprint: str
    choices: list[ChunkChoice]
    usage: UsageOut | None = None
    debug_info: DebugInfo | None = field(default=None, name="_debug_info")
    corral: Report | None = None


class FunctionOut(Struct):
    """The function of a complete call."""

    name: str
    arguments: str


class ToolCallOut(Struct):
    """A complete call."""

    id: str
    function: FunctionOut
    index: int
    type: str = "function"


class MessageOut(Struct, omit_defaults=True):
    """The answer's message; `content` is null when there are only calls."""

    role: str
    content: str | None
    reasoning_content: str = ""
    reasoning: str = ""
    tool_calls: list[ToolCallOut] = []


class Choice(Struct):
    """One of the answers."""

    index: int
    message: MessageOut
    finish_reason: str | None
    logprobs: LogprobsOut | None = None


class ChatCompletion(Struct, omit_defaults=True):
    """A whole chat completion."""

    id: str
    object: str
    created: int
    model: str
    system_fingerprint: str
    choices: list[Choice]
    usage: UsageOut
    debug_info: DebugInfo | None = field(default=None, name="_debug_info")
    corral: Report | None = None
