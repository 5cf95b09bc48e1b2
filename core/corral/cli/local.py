"""The models of this machine, without a server: on disk, or with an engine in this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from corral.client import ShownChoice, ShownModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from corral.api import CreateRequest, Engine, Library, ModelDetails, ModelSummary, Request
    from corral.conversation import Json
    from corral.events import Event
    from corral.fetching import Progress

_CHUNK_BYTES = 1024 * 1024


class OnDisk:
    """The models of a library. It blocks, so it is asked in a thread."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def summaries(self) -> list[ModelSummary]:
        """Return all installed models, newest first."""
        return await asyncio.to_thread(self._library.summaries)

    async def show(self, name: str, *, verbose: bool = False) -> ShownModel:
        """Return everything known about an installed model."""
        return shown(await asyncio.to_thread(self._library.show, name, verbose=verbose))

    async def copy(self, source: str, destination: str) -> None:
        """Give a model a second name."""
        await asyncio.to_thread(self._library.copy, source, destination)

    async def delete(self, name: str) -> None:
        """Remove a name."""
        await asyncio.to_thread(self._library.delete, name)

    async def unload(self, model: str) -> None:
        """Do nothing but look that the model exists: without a server nothing is loaded."""
        await asyncio.to_thread(self._library.resolve, model)

    def pull(self, reference: str) -> AsyncIterator[Progress]:
        """Fetch a model from its source."""
        return self._library.pull(reference)

    def create(self, request: CreateRequest) -> AsyncIterator[Progress]:
        """Make a model of blobs or of another model."""
        return self._library.create(request)

    async def has_blob(self, digest: str) -> bool:
        """Return whether a blob is there."""
        return await asyncio.to_thread(self._library.has_blob, digest)

    async def add_blob(self, digest: str, path: Path) -> None:
        """Store a file as a blob."""
        await self._library.add_blob(digest, _chunks(path))


class InProcess(OnDisk):
    """An engine in this process, and its library."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.library)
        self._engine = engine

    def answer(self, request: Request) -> AsyncIterator[Event]:
        """Yield the events of an answer."""
        return self._engine.answer(request)

    async def embed(self, model: str, text: str) -> Sequence[float]:
        """Return the vector of a text, of length 1 as servers give it."""
        from corral.api import EmbedRequest

        embedded = await self._engine.embed(EmbedRequest(model=model, inputs=(text,)))
        return _unit(embedded.embeddings.vectors[0])

    async def load(self, model: str, keep_alive_s: float | None = None) -> None:
        """Load a model if it is not."""
        await self._engine.load(model, {}, keep_alive_s)

    async def unload(self, model: str) -> None:
        """Let a model go, if it is loaded."""
        await self._engine.unload(model)


def _unit(vector: Sequence[float]) -> list[float]:
    length = sum(x * x for x in vector) ** 0.5 or 1.0
    return [x / length for x in vector]


def shown(details: ModelDetails) -> ShownModel:
    """Return everything about an installed model as a server would tell it."""
    spec = details.spec
    chosen = {"renderer": spec.renderer, "parser": spec.parser, "runner": spec.runner}
    return ShownModel(
        family=details.summary.family,
        parameter_size=details.summary.parameter_size,
        quantization=details.summary.file_type,
        capabilities=details.capabilities,
        choices={
            word: ShownChoice(name=choice.name, origin=choice.origin.value, reason=choice.reason, provider=details.providers.get(word, ""))
            for word, choice in chosen.items()
        },
        modelfile=details.modelfile,
        parameters=_parameters(spec.parameters),
        template=spec.template or spec.facts.chat_template,
        system=spec.system,
        license="\n".join(details.licenses),
        requires=details.requires,
        metadata=details.metadata,
        tensors=details.tensors,
    )


def _parameters(parameters: Mapping[str, Json]) -> str:
    from corral.modelfile import parameter_texts

    lines = [instruction for name, value in parameters.items() for instruction in parameter_texts(name, value)]
    return "\n".join(f"{line.argument:<30} {line.value}" for line in lines)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield chunk
