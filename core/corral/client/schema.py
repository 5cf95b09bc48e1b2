"""The parts of the native API's JSON that the client reads."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field


class VersionAnswer(Struct):
    """GET /api/version; a server without `corral` is an Ollama."""

    version: str = ""
    corral: str = ""


class Details(Struct):
    """What kind of model it is."""

    parent_model: str = ""
    format: str = ""
    family: str = ""
    families: list[str] | None = None
    parameter_size: str = ""
    quantization_level: str = ""


class Tag(Struct):
    """An installed model."""

    name: str
    modified_at: datetime
    size: int
    digest: str
    details: Details = field(default_factory=Details)


class TagsAnswer(Struct):
    """GET /api/tags."""

    models: list[Tag]


class Loaded(Struct):
    """A loaded model."""

    name: str
    size: int
    digest: str
    expires_at: datetime
    size_vram: int = 0
    context_length: int = 0


class PsAnswer(Struct):
    """GET /api/ps."""

    models: list[Loaded]


class Tensor(Struct):
    """A tensor of a model file."""

    name: str
    type: str
    shape: list[int]


class Choice(Struct):
    """Which plugin serves a model, and why that one."""

    name: str = ""
    origin: str = ""
    reason: str = ""
    provider: str = ""


class ShowAnswer(Struct):
    """POST /api/show."""

    details: Details
    model_info: dict[str, object] = {}
    modelfile: str = ""
    capabilities: list[str] = []
    license: str = ""
    parameters: str = ""
    template: str = ""
    system: str = ""
    requires: str = ""
    tensors: list[Tensor] = []
    choices: dict[str, Choice] = field(default_factory=dict, name="corral")


class ProgressLine(Struct):
    """A step of pull or create, or what went wrong."""

    status: str = ""
    digest: str = ""
    total: int = 0
    completed: int = 0
    error: str = ""


class Function(Struct):
    """The function of a call."""

    name: str
    arguments: dict[str, object] = {}


class Call(Struct):
    """A complete call."""

    function: Function
    id: str = ""


class Message(Struct):
    """What a line adds to the answer."""

    content: str = ""
    thinking: str = ""
    tool_calls: list[Call] = []


class Notice(Struct):
    """Something less than was asked for."""

    code: str
    message: str


class Report(Struct):
    """What corral adds to a last line when there is something to say."""

    notices: list[Notice] = []


class AnswerLine(Struct):
    """A line of /api/chat or /api/generate; times are in nanoseconds."""

    message: Message = field(default_factory=Message)
    response: str = ""
    done: bool = False
    done_reason: str = ""
    total_duration: int = 0
    load_duration: int = 0
    prompt_eval_count: int = 0
    prompt_eval_duration: int = 0
    eval_count: int = 0
    eval_duration: int = 0
    corral: Report | None = None
    error: str = ""


class EmbedAnswer(Struct):
    """POST /api/embed."""

    embeddings: list[list[float]]


class ErrorAnswer(Struct):
    """Any failure."""

    error: str = ""
