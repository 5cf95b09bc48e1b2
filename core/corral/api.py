"""What an API plugin may ask of corral: the engine's and the library's promises, and the values they speak in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
    from datetime import datetime

    from corral.conversation import Conversation, Json, JsonObject, Message, Prompt
    from corral.devices import Device, Placement
    from corral.events import Event
    from corral.fetching import Progress
    from corral.runners import Embeddings, Relevance
    from corral.spec import ModelSpec, ParserSupport


#: The ASGI 3 interface, as loosely typed as its own specification.
Scope: TypeAlias = "MutableMapping[str, Any]"
Receive: TypeAlias = "Callable[[], Awaitable[MutableMapping[str, Any]]]"
Send: TypeAlias = "Callable[[MutableMapping[str, Any]], Awaitable[None]]"
ASGIApplication: TypeAlias = "Callable[[Scope, Receive, Send], Awaitable[None]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request for an answer. `/api/generate` and `/api/chat`, and all other dialects, build one of these.

    `conversation.messages` are the request's own; the engine adds the model's SYSTEM and MESSAGEs.
    """

    model: str
    conversation: Conversation
    #: A prompt to pass on verbatim: no rendering, no parsing.
    raw: str | None = None
    #: Text after the insertion point (fill in the middle); empty for none.
    suffix: str = ""
    #: Seconds to keep the model after the request; None is the model's or server's choice, inf is for ever.
    keep_alive_s: float | None = None
    truncate: bool = True
    shift: bool = True
    logprobs: int | None = None
    #: Tokens of an earlier answer to continue from; None when the client did not ask for them.
    context: tuple[int, ...] | None = None
    #: An id for logs; empty gives a fresh one.
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedRequest:
    """Texts to turn into vectors."""

    model: str
    inputs: tuple[str, ...]
    truncate: bool = True
    options: JsonObject = field(default_factory=dict)
    keep_alive_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """Vectors as the model pools them, with the wall time of the load and of everything, in seconds."""

    embeddings: Embeddings
    load_s: float
    total_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankRequest:
    """Documents to rank by what they have to do with a query."""

    model: str
    query: str
    documents: tuple[str, ...]
    truncate: bool = False
    options: JsonObject = field(default_factory=dict)
    keep_alive_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reranked:
    """A score for each document in the order of the request, with the wall time of the load and of everything, in seconds."""

    relevance: Relevance
    load_s: float
    total_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What would be sent to the runner, without sending it."""

    prompt: Prompt
    #: Names of the turns that were dropped to fit the context.
    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningModel:
    """A loaded model, as `ps` shows it; bytes are the runner's own figures when it gave them."""

    model: ModelSpec
    placement: Placement
    total_bytes: int
    device_bytes: int
    context_tokens: int
    #: None is never.
    expires_at: datetime | None
    active: int
    pid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """An installed model, as `list` shows it."""

    name: str
    digest: str
    size: int
    modified_at: datetime
    family: str = ""
    families: tuple[str, ...] = ()
    parameter_size: str = ""
    file_type: str = ""
    format: str = "gguf"
    parent: str = ""
    #: Tokens, and numbers of a vector; 0 when the model was installed without them.
    context_length: int = 0
    embedding_length: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDetails:
    """An installed model, as `show` shows it."""

    summary: ModelSummary
    spec: ModelSpec
    modelfile: str
    licenses: tuple[str, ...]
    requires: str
    #: Names that Ollama's clients know (completion, tools, thinking, vision, embedding, insert), and rerank.
    capabilities: tuple[str, ...]
    support: ParserSupport
    #: The distribution that provides each of renderer, parser and runner, by that word.
    providers: Mapping[str, str]
    #: GGUF header keys and values; long arrays are None unless asked for.
    metadata: Mapping[str, Json]
    #: (name, type, shape) of each tensor.
    tensors: tuple[tuple[str, str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRequest:
    """A model to create. None or an empty collection means inherit; "" takes an inherited text away, `none` an inherited plugin.

    `files`, `adapters` and `drafts` map relative paths to `sha256:` digests of blobs.
    """

    model: str
    base: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    adapters: Mapping[str, str] = field(default_factory=dict)
    #: A smaller model that drafts for this one (DRAFT).
    drafts: Mapping[str, str] = field(default_factory=dict)
    template: str | None = None
    system: str | None = None
    renderer: str | None = None
    parser: str | None = None
    runner: str | None = None
    requires: str = ""
    licenses: tuple[str, ...] = ()
    parameters: JsonObject = field(default_factory=dict)
    messages: tuple[Message, ...] = ()


class Library(Protocol):
    """The models on disk. Methods raise ModelNotFound, InvalidName, StoreError and SourceError."""

    def names(self) -> list[str]:
        """Return the short names of all installed models."""

    def summaries(self) -> list[ModelSummary]:
        """Return all installed models, newest first."""

    def resolve(self, name: str) -> ModelSpec:
        """Return an installed model with the names of its plugins settled."""

    def show(self, name: str, *, verbose: bool = False) -> ModelDetails:
        """Return everything known about an installed model."""

    def capabilities(self, summary: ModelSummary) -> tuple[str, ...]:
        """Return the capabilities of an installed model; none for one that is damaged."""

    def copy(self, source: str, destination: str) -> None:
        """Give a model a second name."""

    def delete(self, name: str) -> None:
        """Remove a name, and the blobs that no other name needs."""

    def create(self, request: CreateRequest) -> AsyncIterator[Progress]:
        """Make a model of blobs or of another model, telling of each step."""

    def pull(self, reference: str, name: str = "") -> AsyncIterator[Progress]:
        """Fetch a model from its source and install it, telling of each step."""

    def has_blob(self, digest: str) -> bool:
        """Return whether a blob is there; raise InvalidName for a malformed digest."""

    async def add_blob(self, digest: str, chunks: AsyncIterator[bytes]) -> bool:
        """Store a blob, verified; return whether it was new. Raise InvalidInput when the digest differs."""


class Engine(Protocol):
    """Everything an API plugin needs; the same object serves all of them."""

    @property
    def library(self) -> Library:
        """Return the models on disk."""

    def answer(self, request: Request) -> AsyncGenerator[Event, None]:
        """Yield the events of an answer; the last one is a Finish. Closing the generator cancels the request."""

    async def render(self, request: Request) -> Rendered:
        """Return the prompt that a request would send, trimmed to the context like the real one."""

    async def count_tokens(self, request: Request) -> int:
        """Return the number of tokens of a request's prompt, by the model's own tokenizer."""

    async def tokenize(self, model: str, text: str) -> list[int]:
        """Return the tokens of plain text."""

    async def embed(self, request: EmbedRequest) -> Embedded:
        """Return a vector for each input."""

    async def rerank(self, request: RerankRequest) -> Reranked:
        """Return a score for each document; raise Unsupported for a model that does not rank."""

    async def load(self, model: str, options: JsonObject, keep_alive_s: float | None) -> float:
        """Load a model if it is not, set its keep-alive, and return the seconds that loading took."""

    async def unload(self, model: str) -> None:
        """Let a model go as soon as it is idle; one that is not loaded is fine."""

    def running(self) -> Sequence[RunningModel]:
        """Return a snapshot of the loaded models."""

    async def devices(self) -> Sequence[Device]:
        """Return the devices, with fresh memory figures."""

    def statistics(self) -> Mapping[str, float]:
        """Return counters and gauges by Prometheus-style name: requests, tokens, queue length, notices by code."""
