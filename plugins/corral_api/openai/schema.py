"""Which JSON OpenAI's chat, completions, embeddings and models read and write; its field names live here and nowhere else."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from corral_api.schema import DebugInfo, Report

# -- requests ---------------------------------------------------------------------------------------------------------


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


class Reasoning(Struct):
    """How much to think."""

    effort: str = ""
    summary: str = ""


class StreamOptions(Struct):
    """What a stream should say besides the answer."""

    include_usage: bool = False


class NamedFunction(Struct):
    """The name of a function."""

    name: str


class ToolChoiceIn(Struct):
    """The tool that must be called."""

    type: str
    function: NamedFunction | None = None


class SamplingIn(Struct):
    """Fields that chat and completions share; the last block is corral's own."""

    model: str = ""
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int = 1
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    logit_bias: dict[str, float] | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    options: dict[str, object] = {}
    keep_alive: bool | float | str | None = None
    truncate: bool = False
    debug_render_only: bool = field(default=False, name="_debug_render_only")


class ChatRequest(SamplingIn):
    """POST /v1/chat/completions."""

    messages: list[MessageIn] = []
    tools: list[dict[str, object]] = []
    tool_choice: Literal["none", "auto", "required"] | ToolChoiceIn | None = None
    parallel_tool_calls: bool = True
    response_format: ResponseFormat | None = None
    reasoning: Reasoning | None = None
    reasoning_effort: str = ""
    max_completion_tokens: int | None = None
    logprobs: bool = False
    top_logprobs: int | None = None
    chat_template_kwargs: dict[str, object] = {}


class CompletionRequest(SamplingIn):
    """POST /v1/completions."""

    prompt: str | list[object] = ""
    suffix: str = ""
    echo: bool = False
    logprobs: int | None = None
    best_of: int = 1


class EmbeddingsRequest(Struct):
    """POST /v1/embeddings."""

    model: str = ""
    input: str | list[object] | None = None
    encoding_format: str = "float"
    dimensions: int = 0
    options: dict[str, object] = {}
    keep_alive: bool | float | str | None = None
    truncate: bool = False


class DocumentText(Struct):
    """A document with its text under a name."""

    text: str


class RerankRequest(Struct):
    """POST /v1/rerank."""

    model: str = ""
    query: str = ""
    documents: list[str | DocumentText] = []
    top_n: int = 0
    return_documents: bool = False
    options: dict[str, object] = {}
    keep_alive: bool | float | str | None = None
    truncate: bool = False


# -- answers ----------------------------------------------------------------------------------------------------------


class TokenOut(Struct):
    """A token, its bytes and its probability."""

    token: str
    logprob: float
    bytes: list[int]


class TopTokenOut(TokenOut):
    """A sampled token with the likeliest ones in its place."""

    top_logprobs: list[TokenOut]


class LogprobsOut(Struct):
    """Probabilities of a choice's tokens."""

    content: list[TopTokenOut]
    refusal: None = None


class CachedOut(Struct):
    """How many tokens of the prompt were not evaluated again."""

    cached_tokens: int


class UsageOut(Struct):
    """What an answer cost."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedOut


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


class TextLogprobs(Struct):
    """Probabilities in the older form of completions."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


class TextChoice(Struct):
    """One of the texts, or a piece of it."""

    text: str
    index: int
    finish_reason: str | None
    logprobs: TextLogprobs | None = None


class Completion(Struct, omit_defaults=True):
    """A completion, or a chunk of it."""

    id: str
    object: str
    created: int
    model: str
    system_fingerprint: str
    choices: list[TextChoice]
    usage: UsageOut | None = None
    debug_info: DebugInfo | None = field(default=None, name="_debug_info")
    corral: Report | None = None


class ErrorDetail(Struct):
    """What went wrong."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorOut(Struct):
    """Any failure, alone or as the last event of a stream."""

    error: ErrorDetail


class EmbeddingOut(Struct):
    """A vector, as numbers or packed."""

    embedding: list[float] | str
    index: int
    object: str = "embedding"


class EmbeddingUsage(Struct):
    """What vectors or scores cost."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsAnswer(Struct):
    """The answer of /v1/embeddings."""

    data: list[EmbeddingOut]
    model: str
    usage: EmbeddingUsage
    object: str = "list"


class RankedDocument(Struct, omit_defaults=True):
    """A document's place in the request, how relevant it is from 0 to 1, and its text when that was asked for."""

    index: int
    relevance_score: float
    document: DocumentText | None = None


class RerankAnswer(Struct):
    """The answer of /v1/rerank."""

    id: str
    model: str
    results: list[RankedDocument]
    usage: EmbeddingUsage
    object: str = "list"


class ModelOut(Struct):
    """An installed model; the last three keys are those that Anthropic's client reads on the same route."""

    id: str
    created: int
    owned_by: str
    display_name: str
    created_at: datetime
    type: str = "model"
    object: str = "model"


class ModelsAnswer(Struct):
    """The answer of /v1/models."""

    data: list[ModelOut]
    first_id: str | None
    last_id: str | None
    has_more: bool = False
    object: str = "list"
