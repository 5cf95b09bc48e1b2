"""Which JSON Ollama's native API reads and writes; its field names live here and nowhere else."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from corral_api.schema import DebugInfo, Report

# -- requests ---------------------------------------------------------------------------------------------------------


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


class EmbedRequest(Struct):
    """POST /api/embed."""

    model: str = ""
    input: object = None
    truncate: bool = True
    dimensions: int = 0
    options: dict[str, object] = {}
    keep_alive: bool | float | str | None = None


class EmbeddingsRequest(Struct):
    """POST /api/embeddings, the older form."""

    model: str = ""
    prompt: str = ""
    options: dict[str, object] = {}
    keep_alive: bool | float | str | None = None


class ShowRequest(Struct):
    """POST /api/show; `name` is the older key."""

    model: str = ""
    name: str = ""
    verbose: bool = False
    system: str = ""


class DeleteRequest(Struct):
    """DELETE /api/delete; `name` is the older key."""

    model: str = ""
    name: str = ""


class PullRequest(Struct):
    """POST /api/pull; `name` is the older key."""

    model: str = ""
    name: str = ""
    stream: bool = True
    insecure: bool = False


class CopyRequest(Struct):
    """POST /api/copy."""

    source: str = ""
    destination: str = ""


class CreateRequest(Struct):
    """POST /api/create; empty means inherit."""

    model: str = ""
    name: str = ""
    base: str = field(default="", name="from")
    files: dict[str, str] = {}
    adapters: dict[str, str] = {}
    template: str | None = None
    system: str | None = None
    renderer: str | None = None
    parser: str | None = None
    runner: str | None = None
    requires: str = ""
    license: str | list[str] = []
    parameters: dict[str, object] = {}
    messages: list[MessageIn] = []
    stream: bool = True
    quantize: str = ""
    quantization: str = ""


# -- answers ----------------------------------------------------------------------------------------------------------


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


class ErrorOut(Struct):
    """Any failure, alone or as the last line of a stream."""

    error: str


class EmbedAnswer(Struct):
    """The answer of /api/embed."""

    model: str
    embeddings: list[list[float]]
    total_duration: int
    load_duration: int
    prompt_eval_count: int


class EmbeddingsAnswer(Struct):
    """The answer of /api/embeddings."""

    embedding: list[float]


class ProgressLine(Struct, omit_defaults=True):
    """A step of pull or create."""

    status: str
    digest: str = ""
    total: int = 0
    completed: int = 0


class Details(Struct, omit_defaults=True):
    """What kind of model it is; six keys are always there, the lengths in a list and where they are known."""

    parent_model: str
    format: str
    family: str
    families: list[str]
    parameter_size: str
    quantization_level: str
    context_length: int = 0
    embedding_length: int = 0


class TagsModel(Struct, omit_defaults=True):
    """An installed model."""

    name: str
    model: str
    modified_at: datetime
    size: int
    digest: str
    details: Details
    capabilities: list[str] = []


class TagsAnswer(Struct):
    """The answer of /api/tags."""

    models: list[TagsModel]


class RunningModelOut(Struct):
    """A loaded model."""

    name: str
    model: str
    size: int
    digest: str
    details: Details
    expires_at: datetime
    size_vram: int
    context_length: int


class PsAnswer(Struct):
    """The answer of /api/ps."""

    models: list[RunningModelOut]


class TensorOut(Struct):
    """A tensor of a model file."""

    name: str
    type: str
    shape: list[int]


class ChoiceOut(Struct):
    """Which plugin serves a model, and why that one."""

    name: str
    origin: str
    reason: str
    provider: str


class ShownMessage(Struct):
    """A MESSAGE of a model."""

    role: str
    content: str


class ShowAnswer(Struct, omit_defaults=True):
    """The answer of /api/show; `model_info` is always an object because clients fall over its absence."""

    details: Details
    model_info: dict[str, object]
    modified_at: datetime
    modelfile: str
    capabilities: list[str]
    license: str = ""
    parameters: str = ""
    template: str = ""
    system: str = ""
    renderer: str = ""
    parser: str = ""
    runner: str = ""
    requires: str = ""
    messages: list[ShownMessage] = []
    tensors: list[TensorOut] = []
    choices: dict[str, ChoiceOut] = field(default_factory=dict, name="corral")


class VersionAnswer(Struct):
    """The answer of /api/version: the Ollama version whose API this is, and corral's own."""

    version: str
    corral: str


class CloudState(Struct):
    """Whether the cloud is off, and who said so."""

    disabled: bool
    source: str


class StatusAnswer(Struct):
    """The answer of /api/status."""

    cloud: CloudState


class Recommendations(Struct):
    """The answer of /api/experimental/model-recommendations: corral recommends nothing."""

    recommendations: list[str] = []
