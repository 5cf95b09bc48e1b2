"""An engine that answers with events written beforehand, for tests of APIs and their clients."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from corral.api import Embedded, ModelDetails, ModelSummary, Rendered, Reranked, RunningModel
from corral.conversation import Prompt, Segment, SegmentKind
from corral.devices import Placement
from corral.errors import InvalidInput, InvalidName, ModelNotFound
from corral.events import ContentDelta, Finish, Usage
from corral.fetching import Progress
from corral.runners import Embeddings, Relevance
from corral.spec import ParserSupport
from corral.testing.models import model_spec

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence

    from corral.api import CreateRequest, EmbedRequest, Request, RerankRequest
    from corral.conversation import JsonObject
    from corral.devices import Device
    from corral.events import Event
    from corral.spec import ModelSpec

#: When everything on paper was made.
NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)

USAGE = Usage(prompt_tokens=7, cached_tokens=3, completion_tokens=2, prompt_s=0.002, completion_s=0.004, load_s=0.001, total_s=0.01)
HELLO: tuple[Event, ...] = (ContentDelta("Hel"), ContentDelta("lo"), Finish("stop", USAGE))

#: Events are yielded, exceptions raised, asyncio events waited for.
Line: TypeAlias = "Event | Exception | asyncio.Event"


class PaperLibrary:
    """A `corral.api.Library` that has the model `test` and keeps what it is told to do."""

    def __init__(self) -> None:
        self.installed = {"test:latest": "0" * 64}
        self.blobs: dict[str, bytes] = {}
        self.created: list[CreateRequest] = []
        self.pulled: list[str] = []
        self.support = ParserSupport(tools=True)
        #: What pull and create tell; an exception is raised in its place.
        self.steps: list[Progress | Exception] = [Progress("pulling manifest"), Progress("success")]

    def names(self) -> list[str]:
        """Return the installed names."""
        return list(self.installed)

    def summaries(self) -> list[ModelSummary]:
        """Return the installed models."""
        return [self._summary(name) for name in self.installed]

    def resolve(self, name: str) -> ModelSpec:
        """Return a model on paper."""
        full = name if ":" in name else f"{name}:latest"
        if full not in self.installed:
            raise ModelNotFound(name)
        return model_spec(full)

    def show(self, name: str, *, verbose: bool = False) -> ModelDetails:
        """Return a little of everything that a model can show."""
        spec = replace(self.resolve(name), parameters={"stop": ["<a>", "<b>"], "temperature": 0.5})
        return ModelDetails(
            summary=self._summary(spec.name),
            spec=spec,
            modelfile="FROM test\n",
            licenses=("MIT",),
            requires="",
            capabilities=self.capabilities(self._summary(spec.name)),
            support=self.support,
            providers={"renderer": "corral"},
            metadata={"general.architecture": "llama", "tokenizer.ggml.tokens": ["a"] if verbose else None},
            tensors=(("token_embd.weight", "F16", (8, 4)),),
        )

    def capabilities(self, summary: ModelSummary) -> tuple[str, ...]:
        """Return what a model on paper can do."""
        return ("completion", "tools")

    def copy(self, source: str, destination: str) -> None:
        """Give a model a second name."""
        self.installed[destination] = self.installed[self.resolve(source).name]

    def delete(self, name: str) -> None:
        """Forget a name."""
        del self.installed[self.resolve(name).name]

    async def create(self, request: CreateRequest) -> AsyncIterator[Progress]:
        """Tell the steps."""
        self.created.append(request)
        for step in self.steps:
            yield _told(step)

    async def pull(self, reference: str, name: str = "") -> AsyncIterator[Progress]:
        """Tell the steps."""
        self.pulled.append(name or reference)
        for step in self.steps:
            yield _told(step)

    def has_blob(self, digest: str) -> bool:
        """Return whether a blob was added."""
        if not digest.startswith("sha256:"):
            raise InvalidName("invalid digest format")
        return digest in self.blobs

    async def add_blob(self, digest: str, chunks: AsyncIterator[bytes]) -> bool:
        """Keep a blob in memory."""
        data = b"".join([chunk async for chunk in chunks])
        actual = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if actual != digest:
            raise InvalidInput(f'digest mismatch, expected "{digest}", got "{actual}"')
        self.blobs[digest] = data
        return True

    def _summary(self, name: str) -> ModelSummary:
        return ModelSummary(
            name=name,
            digest=self.installed[name],
            size=123,
            modified_at=NOON,
            family="llama",
            families=("llama",),
            parameter_size="134.52M",
            file_type="Q4_1",
            context_length=4096,
        )


def _told(step: Progress | Exception) -> Progress:
    if isinstance(step, Exception):
        raise step
    return step


class ScriptedEngine:
    """A `corral.api.Engine` whose answer is `script`; it keeps what it was asked. Tokens are words."""

    def __init__(self, script: Iterable[Line] = HELLO) -> None:
        self.library = PaperLibrary()
        self.script = list(script)
        self.requests: list[Request] = []
        self.embeds: list[EmbedRequest] = []
        self.reranks: list[RerankRequest] = []
        self.loads: list[tuple[str, float | None]] = []
        self.unloads: list[str] = []
        #: Set when an answer is over, however it ended; a test in another thread can wait for it.
        self.ended = threading.Event()

    async def answer(self, request: Request) -> AsyncGenerator[Event, None]:
        """Yield the script."""
        self.requests.append(request)
        self.library.resolve(request.model)
        try:
            for line in list(self.script):
                if isinstance(line, Exception):
                    raise line
                if hasattr(line, "wait"):
                    await line.wait()
                else:
                    yield line
        finally:
            self.ended.set()

    async def render(self, request: Request) -> Rendered:
        """Return all texts of the request behind one control tag."""
        self.requests.append(request)
        self.library.resolve(request.model)
        messages = request.conversation.messages
        text = request.raw if request.raw is not None else "".join(message.content for message in messages)
        images = [image for message in messages for image in message.images]
        media = (Segment(f"[img-{index}]", SegmentKind.MEDIA, image) for index, image in enumerate(images))
        return Rendered(prompt=Prompt(segments=(*media, Segment(f"<|user|>{text}"))))

    async def count_tokens(self, request: Request) -> int:
        """Return the number of words."""
        rendered = await self.render(request)
        return len(rendered.prompt.text.split())

    async def tokenize(self, model: str, text: str) -> list[int]:
        """Return a number per word."""
        self.library.resolve(model)
        return list(range(len(text.split())))

    async def embed(self, request: EmbedRequest) -> Embedded:
        """Return the vector 3, 4, 0, 0 for every input."""
        self.library.resolve(request.model)
        self.embeds.append(request)
        vectors = tuple((3.0, 4.0, 0.0, 0.0) for _ in request.inputs)
        return Embedded(embeddings=Embeddings(vectors=vectors, prompt_tokens=5), load_s=0.001, total_s=0.01)

    async def rerank(self, request: RerankRequest) -> Reranked:
        """Return ... 1/4, 1/3, 1/2 for the documents: the last one is the best."""
        self.library.resolve(request.model)
        self.reranks.append(request)
        scores = tuple(1 / number for number in range(len(request.documents) + 1, 1, -1))
        return Reranked(relevance=Relevance(scores=scores, prompt_tokens=5), load_s=0.001, total_s=0.01)

    async def load(self, model: str, options: JsonObject, keep_alive_s: float | None) -> float:
        """Note that a model was loaded."""
        self.library.resolve(model)
        self.loads.append((model, keep_alive_s))
        return 0.5

    async def unload(self, model: str) -> None:
        """Note that a model was let go."""
        self.library.resolve(model)
        self.unloads.append(model)

    def running(self) -> Sequence[RunningModel]:
        """Return one loaded model."""
        placement = Placement(shares=(), total_layers=3, host_bytes=1, context_tokens=4096, parallel=1, batch_tokens=512, threads=1)
        model = RunningModel(
            model=model_spec("test:latest"),
            placement=placement,
            total_bytes=1000,
            device_bytes=0,
            context_tokens=4096,
            expires_at=NOON,
            active=0,
        )
        return [model]

    async def devices(self) -> Sequence[Device]:
        """Return no devices."""
        return []

    def statistics(self) -> Mapping[str, float]:
        """Return two figures."""
        return {"corral_answers_total": 1.0, 'corral_diagnostics_total{code="x"}': 2.0}
