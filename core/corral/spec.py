"""What a model is, and what a plugin declares."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from corral.conversation import JsonObject, Message
    from corral.options import LoadOptions


class Origin(Enum):
    """Where the name of a renderer, parser or runner came from; the first one that gives a name wins."""

    EXPLICIT = "Modelfile"
    INHERITED = "inherited"
    DETECTED = "detected"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A chosen name, and why it was chosen."""

    name: str
    origin: Origin
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What a GGUF header says about a model; counts are of parameters, tokens and layers."""

    architecture: str
    name: str = ""
    parameter_count: int = 0
    #: Quantisation as people write it: "Q4_K_M".
    file_type: str = ""
    context_length: int = 0
    embedding_length: int = 0
    block_count: int = 0
    vocabulary_size: int = 0
    #: The Jinja template of the file; empty when it has none. `chat_templates` are the named variants.
    chat_template: str = ""
    chat_templates: tuple[tuple[str, str], ...] = ()
    bos_token: str = ""
    eos_token: str = ""
    #: Whether the tokenizer adds BOS by itself (then a template's own BOS must not be doubled).
    adds_bos: bool = False
    #: An embedding model (it pools, or it has no output head for text).
    is_embedding: bool = False
    #: One of those that has no vectors to give: its head says how well a document fits a query.
    is_reranker: bool = False

    @property
    def parameter_size(self) -> str:
        """Return the number of parameters as people write it: 8.0B, 134.52M, 500K."""
        count = self.parameter_count
        if count >= 1_000_000_000:
            return f"{count / 1e9:.1f}B"
        if count >= 1_000_000:
            return f"{count / 1e6:.2f}M"
        return f"{count / 1e3:.0f}K" if count >= 1_000 else str(count)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """An installed model, resolved: files, names of plugins with their provenance, defaults."""

    #: Short display name, `model:tag`.
    name: str
    #: Hex SHA-256 of the manifest.
    digest: str
    path: Path
    facts: ModelFacts
    renderer: Choice
    parser: Choice
    runner: Choice
    projector: Path | None = None
    adapters: tuple[Path, ...] = ()
    draft: Path | None = None
    #: Go template (`TEMPLATE`); empty when the Modelfile has none.
    template: str = ""
    system: str = ""
    messages: tuple[Message, ...] = ()
    #: PARAMETERs, by name, as the Modelfile gave them.
    parameters: JsonObject = field(default_factory=dict)
    #: Options that need a reload when they change, after merging defaults, settings, PARAMETERs and the request.
    load: LoadOptions | None = None

    @property
    def display_path(self) -> str:
        """Return a short name of the weights for messages."""
        return self.path.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Markers:
    """Strings by which a chat template gives its family away: all of `all_of` and none of `none_of` occur in it."""

    all_of: tuple[str, ...]
    none_of: tuple[str, ...] = ()

    def match(self, template: str) -> bool:
        """Return whether the template shows this family."""
        return bool(template) and all(m in template for m in self.all_of) and not any(m in template for m in self.none_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParserSupport:
    """What a parser can read out of a model's output."""

    tools: bool = False
    parallel_tools: bool = False
    thinking: Literal["none", "optional", "always"] = "none"
    thinking_levels: tuple[str, ...] = ()
    #: Arguments arrive as they are written, not at the end of the call.
    argument_streaming: bool = False
    #: A grammar can force calls (`tool_choice: required`) and structured output after thinking.
    constrains: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RendererOffer:
    """A renderer that a plugin offers.

    `call_format` names the syntax of tool calls it writes; a parser of another syntax does not fit (empty fits all).
    """

    name: str
    summary: str = ""
    call_format: str = ""
    detect: Markers | None = None
    system: bool = True
    prefill: bool = True
    vision: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ParserOffer:
    """A parser that a plugin offers; `support` is a function for parsers that must look at the model."""

    name: str
    support: ParserSupport | Callable[[ModelSpec], ParserSupport] = ParserSupport()
    summary: str = ""
    call_format: str = ""
    detect: Markers | None = None

    def support_for(self, model: ModelSpec) -> ParserSupport:
        """Return what the parser supports for that model."""
        return self.support(model) if callable(self.support) else self.support


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOffer:
    """An API that a plugin offers: an ASGI application for the paths it names.

    A path that ends in "/" stands for everything below it, another one for itself; the longest match serves a request.
    When the server asks for keys, `open_paths` (exact ones, such as health checks) need none, `infer_paths` need the scope
    infer, `read_paths` the scope read, and everything else the scope admin. Bodies for `upload_paths` may have any size.
    """

    name: str
    paths: tuple[str, ...]
    summary: str = ""
    open_paths: tuple[str, ...] = ()
    infer_paths: tuple[str, ...] = ()
    read_paths: tuple[str, ...] = ()
    upload_paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of the environment that a plugin reads; no secret, for `corral config` shows its value."""

    name: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a plugin declares, once, when it is loaded."""

    api_version: int
    renderers: tuple[RendererOffer, ...] = ()
    parsers: tuple[ParserOffer, ...] = ()
    runners: tuple[str, ...] = ()
    apis: tuple[ApiOffer, ...] = ()
    sources: tuple[str, ...] = ()
    device_backends: tuple[str, ...] = ()
    #: Whether `discover_devices` only reads what a kernel or driver keeps ready, so that it may be called every second.
    quick_devices: bool = False
    variables: tuple[Variable, ...] = ()
