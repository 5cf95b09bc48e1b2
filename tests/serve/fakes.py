"""An engine that answers with events written beforehand, and a library of one model."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from corral.api import Embedded, ModelDetails, ModelSummary, Rendered, RunningModel
from corral.conversation import Prompt, Segment, SegmentKind
from corral.devices import Placement
from corral.errors import InvalidInput, InvalidName, ModelNotFound
from corral.events import ContentDelta, Finish, Usage
from corral.fetching import Progress
from corral.runners import Embeddings
from corral.spec import ParserSupport
from corral.testing import model_spec

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence

    from corral.api import CreateRequest, EmbedRequest, Request
    from corral.conversation import JsonObject
    from corral.devices import Device
    from corral.events import Event
    from corral.spec import ModelSpec

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
USAGE = Usage(
    prompt_tokens=7, cached_tokens=3, completion_tokens=2, prompt_s=0.002, completion_s=0.004, load_s=0.001, total_s=0.01
)
HELLO: tuple[Event, ...] = (ContentDelta("Hel"), ContentDelta("lo"), Finish("stop", USAGE))


class FakeLibrary:
    """A library that has the model `test` and keeps what it is told to do."""

    def __init__(self) -> None:
        self.installed = {"test:latest": "0" * 64}
        self.blobs: dict[str, bytes] = {}
        self.created: list[CreateRequest] = []
        self.deleted: list[str] = []
        self.steps: list[Progress | Exception] = [Progress("pulling manifest"), Progress("success")]

    def names(self) -> list[str]:
        return list(self.installed)

    def summaries(self) -> list[ModelSummary]:
        return [self._summary(name) for name in self.installed]

    def resolve(self, name: str) -> ModelSpec:
        full = name if ":" in name else f"{name}:latest"
        if full not in self.installed:
            raise ModelNotFound(name)
        return model_spec(full)

    def show(self, name: str, *, verbose: bool = False) -> ModelDetails:
        spec = self.resolve(name)
        return ModelDetails(
            summary=self._summary(spec.name),
            spec=spec,
            modelfile="FROM test\n",
            licenses=("MIT",),
            requires="",
            capabilities=("completion", "tools"),
            support=ParserSupport(tools=True),
            providers={"renderer": "corral"},
            metadata={"general.architecture": "llama", "tokenizer.ggml.tokens": ["a"] if verbose else None},
            tensors=(("token_embd.weight", "F16", (8, 4)),),
        )

    def copy(self, source: str, destination: str) -> None:
        self.installed[destination] = self.installed[self.resolve(source).name]

    def delete(self, name: str) -> None:
        self.deleted.append(self.resolve(name).name)

    async def create(self, request: CreateRequest) -> AsyncIterator[Progress]:
        self.created.append(request)
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            yield step

    async def pull(self, reference: str, name: str = "") -> AsyncIterator[Progress]:
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            yield step

    def has_blob(self, digest: str) -> bool:
        if not digest.startswith("sha256:"):
            raise InvalidName("invalid digest format")
        return digest in self.blobs

    async def add_blob(self, digest: str, chunks: AsyncIterator[bytes]) -> bool:
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
        )


class FakeEngine:
    """An engine whose answer is `script`; exceptions in it are raised. `requests` keeps what was asked."""

    def __init__(self, script: Iterable[Event | Exception] = HELLO) -> None:
        self.library = FakeLibrary()
        self.script: list[Event | Exception] = list(script)
        self.requests: list[Request] = []
        self.embeds: list[EmbedRequest] = []
        self.loads: list[tuple[str, float | None]] = []
        self.unloads: list[str] = []
        self.closed = 0

    async def answer(self, request: Request) -> AsyncGenerator[Event, None]:
        self.requests.append(request)
        self.library.resolve(request.model)
        try:
            for event in list(self.script):
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.closed += 1

    async def render(self, request: Request) -> Rendered:
        self.requests.append(request)
        self.library.resolve(request.model)
        text = request.raw if request.raw is not None else "".join(m.content for m in request.conversation.messages)
        media = tuple(
            Segment(f"[img-{i}]", SegmentKind.MEDIA, image)
            for i, image in enumerate(image for m in request.conversation.messages for image in m.images)
        )
        return Rendered(prompt=Prompt(segments=(*media, Segment(f"<|user|>{text}"))))

    async def count_tokens(self, request: Request) -> int:
        rendered = await self.render(request)
        return len(rendered.prompt.text.split())

    async def tokenize(self, model: str, text: str) -> list[int]:
        self.library.resolve(model)
        return list(range(len(text.split())))

    async def embed(self, request: EmbedRequest) -> Embedded:
        self.library.resolve(request.model)
        self.embeds.append(request)
        vectors = tuple((3.0, 4.0, 0.0, 0.0) for _ in request.inputs)
        return Embedded(embeddings=Embeddings(vectors=vectors, prompt_tokens=5), load_s=0.001, total_s=0.01)

    async def load(self, model: str, options: JsonObject, keep_alive_s: float | None) -> float:
        self.library.resolve(model)
        self.loads.append((model, keep_alive_s))
        return 0.5

    async def unload(self, model: str) -> None:
        self.library.resolve(model)
        self.unloads.append(model)

    def running(self) -> Sequence[RunningModel]:
        placement = Placement(
            shares=(), total_layers=3, host_bytes=1, context_tokens=4096, parallel=1, batch_tokens=512, threads=1
        )
        return [
            RunningModel(
                model=model_spec("test:latest"),
                placement=placement,
                total_bytes=1000,
                device_bytes=0,
                context_tokens=4096,
                expires_at=NOON,
                active=0,
            )
        ]

    async def devices(self) -> Sequence[Device]:
        return []

    def statistics(self) -> Mapping[str, float]:
        return {"corral_answers_total": 1.0, 'corral_diagnostics_total{code="x"}': 2.0}
