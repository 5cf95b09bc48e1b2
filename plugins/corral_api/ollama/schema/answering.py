"""Which JSON chat and generate read and write."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from corral_api.schema import DebugInfo, Report


class FunctionIn(Struct):
    """The function of an earlier call; arguments are an object (or, from OpenAI's habits, its JSON text)."""

    name: str
    arguments: dict[str, object] | str = {}
    index: int = 0


class ToolCallIn(Struct):
    """A call in a message."""

    function: FunctionIn
    id: str = ""


class MessageIn(Struct):
    """One turn; images are standard base64."""

    role: str
    content: str = ""
    thinking: str = ""
    images: list[str] = []
    tool_calls: list[ToolCallIn] = []
    tool_name: str = ""
    tool_call_id: str = ""


class ChatRequest(Struct):
    """POST /api/chat."""

    model: str = ""
    messages: list[MessageIn] = []
    stream: bool = True
    format: str | dict[str, object] | None = None
    keep_alive: bool | float | str | None = None
    tools: list[dict[str, object]] = []
    options: dict[str, object] = {}
    think: object = None
    truncate: bool = True
    shift: bool = True
    logprobs: bool = False
    top_logprobs: int = 0
    debug_render_only: bool = field(default=False, name="_debug_render_only")


class GenerateRequest(Struct):
    """POST /api/generate."""

    model: str = ""
    prompt: str = ""
    suffix: str = ""
    system: str = ""
    template: str = ""
    context: list[int] | None = None
    stream: bool = True
    raw: bool = False
    images: list[str] = []
    format: str | dict[str, object] | None = None
    keep_alive: bool | float | str | None = None
    options: dict[str, object] = {}
    think: object = None
    truncate: bool = True
    shift: bool = True
    logprobs: bool = False
    top_logprobs: int = 0
    debug_render_only: bool = field(default=False, name="_debug_render_only")


class FunctionOut(Struct):
    """The function of a call."""

    index: int
    name: str
    arguments: dict[str, object]


class ToolCallOut(Struct):
    """A complete call."""

    id: str
    function: FunctionOut


class MessageOut(Struct, omit_defaults=True):
    """What a chunk adds to the answer."""

    role: str
    content: str
    thinking: str = ""
    tool_calls: list[ToolCallOut] = []


class TokenOut(Struct, omit_defaults=True):
    """A token and its probability."""

    token: str
    logprob: float
    bytes: list[int] = []
    top_logprobs: list[TokenOut] = []


class ChatChunk(Struct, omit_defaults=True):
    """A chunk of /api/chat, or its whole answer."""

    model: str
    created_at: datetime
    message: MessageOut
    done: bool
    done_reason: str = ""
    total_duration: int = 0
    load_duration: int = 0
    prompt_eval_count: int = 0
    prompt_eval_duration: int = 0
    eval_count: int = 0
    eval_duration: int = 0
    logprobs: list[TokenOut] = []
    debug_info: DebugInfo | None = field(default=None, name="_debug_info")
    corral: Report | None = None


class GenerateChunk(Struct, omit_defaults=True):
    """A chunk of /api/generate, or its whole answer."""

    model: str
    created_at: datetime
    response: str
    done: bool
    thinking: str = ""
    done_reason: str = ""
    context: list[int] = []
    tool_calls: list[ToolCallOut] = []
    total_duration: int = 0
    load_duration: int = 0
    prompt_eval_count: int = 0
    prompt_eval_duration: int = 0
    eval_count: int = 0
    eval_duration: int = 0
    logprobs: list[TokenOut] = []
    debug_info: DebugInfo | None = field(default=None, name="_debug_info")
    corral: Report | None = None
