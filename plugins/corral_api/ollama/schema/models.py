"""Which JSON the routes about models read and write."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field


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


class CopyRequest(Struct):
    """POST /api/copy."""

    source: str = ""
    destination: str = ""


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
