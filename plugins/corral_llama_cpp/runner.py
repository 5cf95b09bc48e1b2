"""A runner as the server sees it: one process with one model behind a channel."""

from __future__ import annotations

import asyncio
from array import array
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, TypeVar, assert_never

from corral import errors
from corral.errors import RunnerError
from corral.runners import Done, Embeddings, Notice, Piece, Relevance, RunnerInfo
from corral.workers import Deadlines, python_module, start_worker
from corral_llama_cpp.launch import environment, load_request
from corral_llama_cpp.mailbox import Mailbox
from corral_llama_cpp.wire import (
    REPLIES,
    AskMemory,
    Cancel,
    Detokenize,
    Embed,
    Failed,
    FreeMemory,
    Generate,
    Loaded,
    Note,
    Output,
    Rerank,
    Step,
    Text,
    Tokenize,
    Tokens,
    Vectors,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence

    import msgspec

    from corral.conversation import Prompt
    from corral.devices import Placement
    from corral.runners import Generation
    from corral.runners import Output as RunnerOutput
    from corral.settings import Settings
    from corral.spec import ModelSpec
    from corral.workers import Worker
    from corral_llama_cpp.wire import Reply

Answer = TypeVar("Answer")


class LlamaRunner:
    """A loaded model in a process of its own; see `corral.runners.Runner`."""

    def __init__(self, worker: Worker[Reply], loaded: Loaded) -> None:
        self._worker = worker
        self._info = _runner_info(loaded, worker.pid)
        self._ids = count(1)
        self._mailboxes: dict[int, Mailbox[Reply | Output | None]] = {}

    @property
    def info(self) -> RunnerInfo:
        """Return what the runner said when it became ready."""
        return self._info

    async def generate(self, generation: Generation) -> AsyncGenerator[RunnerOutput, None]:
        """Yield pieces as they are decoded and one Done at the end; closing the iterator cancels within one step."""
        id_ = next(self._ids)
        mailbox = self._open(id_)
        is_over = False
        try:
            await self._worker.send(_generate(id_, generation))
            while not is_over:
                output = await self._take(mailbox, Output)
                is_over = output.end is not None
                for part in _parts(output):
                    yield part
        except errors.CorralError:
            is_over = True
            raise
        finally:
            self._close(id_)
            if not is_over:
                self._cancel(id_)

    async def tokenize(self, prompt: Prompt) -> list[int]:
        """Return the tokens of a prompt."""
        id_ = next(self._ids)
        return list((await self._ask(id_, Tokenize(id_, prompt.segments), Tokens)).tokens)

    async def detokenize(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens."""
        id_ = next(self._ids)
        return (await self._ask(id_, Detokenize(id_, tuple(tokens)), Text)).text

    async def embed(self, inputs: Sequence[str], *, truncate: bool = True) -> Embeddings:
        """Return a vector for each input."""
        id_ = next(self._ids)
        found = await self._ask(id_, Embed(id_, tuple(inputs), truncate), Vectors)
        floats = array("f", found.data)
        vectors = tuple(tuple(floats[start : start + found.width]) for start in range(0, len(floats), found.width))
        return Embeddings(vectors=vectors, prompt_tokens=found.prompt_tokens, notices=_notices(found.notes))

    async def rerank(self, query: str, documents: Sequence[str], *, truncate: bool = False) -> Relevance:
        """Return how relevant each document is to a query."""
        id_ = next(self._ids)
        found = await self._ask(id_, Rerank(id_, query, tuple(documents), truncate), Vectors)
        scores = tuple(array("f", found.data))
        return Relevance(scores=scores, prompt_tokens=found.prompt_tokens, notices=_notices(found.notes))

    async def free_memory(self) -> Mapping[str, int]:
        """Return the free bytes of the devices in use."""
        id_ = next(self._ids)
        return (await self._ask(id_, AskMemory(id_), FreeMemory)).free_bytes

    async def wait_closed(self) -> str:
        """Wait until the process is gone and return why."""
        return await self._worker.wait_closed()

    async def listen(self) -> None:
        """Hand each reply to the request it is for, until the process is gone."""
        self._worker.hand_over(self._sort)
        await self._worker.wait_closed()
        for mailbox in self._mailboxes.values():
            mailbox.put(None)

    def _sort(self, reply: Reply) -> None:
        match reply:
            case Step(outputs=outputs):
                for output in outputs:
                    self._deliver(output.id, output, is_last=output.end is not None)
            case Tokens() | Text() | Vectors() | FreeMemory() | Failed():
                self._deliver(reply.id, reply, is_last=True)
            case _:
                assert_never(reply)

    def _open(self, id_: int) -> Mailbox[Reply | Output | None]:
        mailbox: Mailbox[Reply | Output | None] = Mailbox()
        self._mailboxes[id_] = mailbox
        self._worker.give(id_)
        return mailbox

    def _close(self, id_: int) -> None:
        del self._mailboxes[id_]
        self._worker.settle(id_)

    def _deliver(self, id_: int, reply: Reply | Output, *, is_last: bool) -> None:
        if is_last:
            # Now, and not when it is read: a client that reads slowly is no child that hangs.
            self._worker.settle(id_)
        if id_ in self._mailboxes:
            self._mailboxes[id_].put(reply)

    async def _ask(self, id_: int, request: msgspec.Struct, kind: type[Answer]) -> Answer:
        mailbox = self._open(id_)
        try:
            await self._worker.send(request)
            return await self._take(mailbox, kind)
        except asyncio.CancelledError:
            # Vectors of a thousand texts that nobody waits for would hold up everybody else.
            self._cancel(id_)
            raise
        finally:
            self._close(id_)

    async def _take(self, mailbox: Mailbox[Reply | Output | None], kind: type[Answer]) -> Answer:
        reply = await mailbox.take()
        if reply is None:
            raise self._worker.death()
        if isinstance(reply, Failed):
            raise _error(reply)
        assert isinstance(reply, kind)
        return reply

    def _cancel(self, id_: int) -> None:
        try:
            self._worker.post(Cancel(id_))
        except errors.RunnerDied:
            # What is gone needs no cancelling; who asks next is told.
            return


@asynccontextmanager
async def open_runner(
    model: ModelSpec, placement: Placement, settings: Settings, *, child: str = "corral_llama_cpp.child"
) -> AsyncIterator[LlamaRunner]:
    """Load a model in a process of its own and yield its runner; leaving stops the process. Raises LoadFailed.

    A plugin that adds devices to llama.cpp names a `child` module of its own, which calls `corral_llama_cpp.child.main`.
    """
    argv = python_module(child)
    name = f"the runner of {model.name}"
    deadlines = Deadlines(stall_s=settings.load_timeout_s, work_s=settings.stall_timeout_s)
    async with start_worker(argv, name=name, reply_types=REPLIES, environment=environment(placement), deadlines=deadlines) as worker:
        await worker.send(load_request(model, placement, settings))
        runner = LlamaRunner(worker, await worker.ready(Loaded))
        # Not a TaskGroup: one that is left by an error would wrap it in a group.
        listening = asyncio.create_task(runner.listen())
        try:
            yield runner
        finally:
            listening.cancel()
            await asyncio.wait([listening])


def _generate(id_: int, generation: Generation) -> Generate:
    return Generate(
        id=id_,
        segments=generation.prompt.segments,
        sampling=generation.sampling,
        stop=tuple(dict.fromkeys((*generation.prompt.stop, *generation.sampling.stop))),
        grammar=generation.grammar,
        logprobs=generation.logprobs,
        truncate=generation.truncate,
        shift=generation.shift,
        context=generation.context,
    )


def _parts(output: Output) -> Iterator[RunnerOutput]:
    yield from _notices(output.notes)
    if output.text or output.logprobs:
        yield Piece(output.text, output.logprobs, output.tokens)
    if (end := output.end) is not None:
        yield Done(reason=end.reason, usage=end.usage, stop=end.stop, tokens=end.tokens)


def _notices(notes: Sequence[Note]) -> tuple[Notice, ...]:
    return tuple(Notice(code=note.code, message=note.message) for note in notes)


def _error(failed: Failed) -> errors.CorralError:
    kind = getattr(errors, failed.kind, RunnerError)
    return kind(**failed.figures) if failed.figures else kind(failed.message)


def _runner_info(loaded: Loaded, pid: int) -> RunnerInfo:
    return RunnerInfo(
        context_tokens=loaded.context_tokens,
        slots=loaded.slots,
        embedding_length=loaded.embedding_length,
        memory=loaded.memory,
        load_s=loaded.load_s,
        pid=pid,
        notices=_notices(loaded.notes),
    )
