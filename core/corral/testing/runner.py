"""A runner that plays a script instead of a model."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

from corral.errors import RunnerDied
from corral.events import Usage
from corral.runners import Done, Embeddings, Notice, Piece, RunnerInfo

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence

    from corral.conversation import Prompt
    from corral.devices import Placement
    from corral.runners import Generation, Output
    from corral.spec import ModelSpec

#: Text is a piece, an exception is raised, an event is waited for, anything else is put out as it is.
Line: TypeAlias = "str | Output | BaseException | asyncio.Event"
Script: TypeAlias = "Iterable[Line] | Callable[[Generation], Iterable[Line]]"


class ScriptedRunner:
    """A `corral.runners.Runner` whose answers are written beforehand. Tokens are words; `generations` keeps what was asked."""

    def __init__(self, script: Script = (), *, context_tokens: int = 4096, slots: int = 4) -> None:
        self._script = script
        self._closed = asyncio.Event()
        self._reason = ""
        self.info = RunnerInfo(context_tokens=context_tokens, slots=slots, embedding_length=4)
        self.generations: list[Generation] = []
        self.cancelled = 0

    async def generate(self, generation: Generation) -> AsyncGenerator[Output, None]:
        """Put out the script, then a Done with counted words unless the script brings its own."""
        self.generations.append(generation)
        pieces = 0
        try:
            for line in self._script(generation) if callable(self._script) else self._script:
                self._check_alive()
                match line:
                    case BaseException():
                        raise line
                    case asyncio.Event():
                        await line.wait()
                    case Done():
                        yield line
                        return
                    case Notice() | Piece():
                        yield line
                    case _:
                        pieces += 1
                        yield Piece(line, tokens=1)
                        await asyncio.sleep(0)
        except (GeneratorExit, asyncio.CancelledError):
            self.cancelled += 1
            raise
        prompt_tokens = len(generation.prompt.text.split())
        yield Done(reason="stop", usage=Usage(prompt_tokens=prompt_tokens, completion_tokens=pieces, prompt_s=0.001, completion_s=0.001))

    async def tokenize(self, prompt: Prompt) -> list[int]:
        """Return one number per word."""
        self._check_alive()
        return list(range(len(prompt.text.split())))

    async def detokenize(self, tokens: Sequence[int]) -> str:
        """Return the numbers as words."""
        self._check_alive()
        return " ".join(str(token) for token in tokens)

    async def embed(self, inputs: Sequence[str], *, truncate: bool = True) -> Embeddings:
        """Return vectors that depend on the length of each input."""
        self._check_alive()
        vectors = tuple((float(len(text)), 1.0, 2.0, 3.0) for text in inputs)
        return Embeddings(vectors=vectors, prompt_tokens=sum(len(text.split()) for text in inputs))

    async def free_memory(self) -> Mapping[str, int]:
        """Return nothing: a script uses no device."""
        return {}

    async def wait_closed(self) -> str:
        """Wait for `die` or `close`."""
        await self._closed.wait()
        return self._reason

    def die(self, reason: str = "killed by the test") -> None:
        """Go away as a crashed process would."""
        self._reason = reason
        self._closed.set()

    def close(self) -> None:
        """Go away as one that was asked to."""
        self._closed.set()

    def _check_alive(self) -> None:
        if self._reason:
            raise RunnerDied(self._reason)


def scripted_spawn(script: Script = ()) -> Callable[[ModelSpec, Placement], _Spawned]:
    """Return a function with the shape of the spawn_runner hook that gives scripted runners."""

    @asynccontextmanager
    async def spawn(model: ModelSpec, placement: Placement) -> AsyncIterator[ScriptedRunner]:
        runner = ScriptedRunner(script, context_tokens=placement.context_tokens, slots=placement.parallel)
        try:
            yield runner
        finally:
            runner.close()

    return spawn


if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    _Spawned: TypeAlias = AbstractAsyncContextManager[ScriptedRunner]
