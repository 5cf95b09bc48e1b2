"""Serve one loaded model to the parent: hand requests to the engine, and its outputs back."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeAlias, assert_never

from corral.conversation import SegmentKind
from corral.errors import ContextExceeded, CorralError, InvalidInput, Unsupported
from corral_llama_cpp.wire import (
    AskMemory,
    Cancel,
    Detokenize,
    Embed,
    Failed,
    FreeMemory,
    Generate,
    Load,
    Rerank,
    Step,
    Text,
    Tokenize,
    Tokens,
    Vectors,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from corral_llama_cpp.native.embedding import EmbedJob
    from corral_llama_cpp.native.loading import Loaded
    from corral_llama_cpp.wire import Reply, Request

#: What the decoding thread is asked to do. Text has become tokens by then, which would hold up running answers.
Work: TypeAlias = "tuple[Generate, list[int], int] | Cancel | EmbedJob"
#: Seconds without work that are taken for a pause; clients that answer by themselves ask again sooner.
PAUSE_S = 0.1
#: Tokens that may differ at the seam when a message is tokenised without what precedes it.
_SEAM = 2


class Service:
    """Takes requests on one thread and decodes on another; `send` may be called from both."""

    def __init__(self, loaded: Loaded, send: Callable[[Reply], None]) -> None:
        self._loaded = loaded
        self._send = send
        self._work: SimpleQueue[Work] = SimpleQueue()
        self._engine = loaded.engine(self._fail)
        self._embeds: list[EmbedJob] = []

    def take(self, request: Request) -> None:
        """Take one request; called by the reading thread, which also does what needs no decoding."""
        vocabulary = self._loaded.model.vocabulary
        match request:
            case Generate():
                self._generate(request)
            case Cancel():
                self._work.put(request)
            case Embed() | Rerank():
                self._start_embed(request)
            case Tokenize(id=id_, segments=segments):
                self._send(Tokens(id_, tuple(vocabulary.tokens(segments))))
            case Detokenize(id=id_, tokens=tokens):
                self._send(Text(id_, vocabulary.text(tokens)))
            case AskMemory(id=id_):
                self._send(FreeMemory(id_, self._loaded.free_bytes()))
            case Load():
                self._fail(0, CorralError("a model is loaded already"))
            case _:
                assert_never(request)

    def _generate(self, request: Generate) -> None:
        vocabulary = self._loaded.model.vocabulary
        if self._loaded.load.is_embedding:
            self._fail(request.id, Unsupported("this model makes embeddings; it writes no text"))
        elif any(segment.kind is SegmentKind.MEDIA for segment in request.segments):
            self._fail(request.id, Unsupported("this runner takes text only; images and sounds need a runner with a projector"))
        elif not all(map(vocabulary.holds, request.context)):
            self._fail(request.id, InvalidInput("the context has tokens that the model does not know; was it made by another model?"))
        else:
            prompt = self._prompt(request)
            self._work.put((request, prompt, self._turn(request, prompt)))

    def _prompt(self, request: Generate) -> list[int]:
        vocabulary = self._loaded.model.vocabulary
        tokens = vocabulary.tokens(request.segments)
        # What is continued has its beginning already; a second BOS in the middle would make models forget it.
        # Where the model adds none, the same token at the start is the template's own mark of a turn.
        is_again = bool(request.context) and vocabulary.adds_bos and tokens[:1] == [vocabulary.bos]
        return [*request.context, *(tokens[1:] if is_again else tokens)]

    def _turn(self, request: Generate, prompt: list[int]) -> int:
        """Return after about how many tokens the last message of a prompt begins; 0 where it does not matter."""
        if not self._engine.takes_checkpoints:
            return 0
        last = max((i for i, segment in enumerate(request.segments) if segment.kind is SegmentKind.USER), default=0)
        message = self._loaded.model.vocabulary.tokens(request.segments[last:])
        return max(len(prompt) - len(message) - _SEAM, 0)

    def _start_embed(self, request: Embed | Rerank) -> None:
        embedder = self._loaded.embedder
        try:
            if isinstance(request, Embed):
                self._work.put(embedder.job(request.id, request.inputs, truncate=request.truncate))
            else:
                self._work.put(embedder.ranking(request.id, request.query, request.documents, truncate=request.truncate))
        except CorralError as error:
            self._fail(request.id, error)

    def run(self) -> None:
        """Decode for ever."""
        while True:
            self.work_off()

    def work_off(self) -> None:
        """Wait for work; do it, and what comes meanwhile."""
        work = self._next()
        with self._loaded.busy():
            self._do(work)
            self._run_busy()

    def _next(self) -> Work:
        """Wait for work, and make use of a pause that seems to be one: who asks again at once shall not have to wait for it."""
        while True:
            try:
                return self._work.get(timeout=PAUSE_S)
            except Empty:
                if not self._engine.rest():
                    return self._work.get()

    def _run_busy(self) -> None:
        while self._embeds or not self._engine.is_idle:
            self._make_way()
            outputs = self._engine.step()
            self._loaded.share_cores()
            if outputs:
                self._send(Step(outputs))
            if self._embeds:
                self._embed(self._embeds[0])
            while not self._work.empty():
                self._do(self._work.get())

    def _make_way(self) -> None:
        """Give up a half evaluated input when running answers need its cells; it begins again when there is room."""
        job = self._embeds[0] if self._embeds else None
        if job and job.held and not self._engine.is_idle and not self._engine.cells.reserve(self._loaded.load.batch_tokens):
            self._loaded.embedder.release(job)
            self._note_held()

    def _do(self, work: Work) -> None:
        match work:
            case Cancel(id=id_):
                self._engine.cancel(id_)
                for job in [job for job in self._embeds if job.id == id_]:
                    self._leave(job)
            case (request, prompt, turn):
                self._engine.submit(request, prompt, turn)
            case job:
                self._embeds.append(job)

    def _embed(self, job: EmbedJob) -> None:
        """Take one step of an embedding, and answer with the last one."""
        try:
            if not job.is_over:
                if not self._engine.cells.reserve(job.next_tokens) and not self._engine.is_idle:
                    # Running answers fill the cache; there is room again when one of them is over.
                    return
                self._loaded.embedder.advance(job)
                self._note_held()
        except CorralError as error:
            self._leave(job)
            self._fail(job.id, error)
            return
        if job.is_over:
            self._leave(job)
            self._send(Vectors(job.id, self._loaded.embedder.width, b"".join(job.vectors), job.prompt_tokens, job.notes))

    def _leave(self, job: EmbedJob) -> None:
        if job.held:
            self._loaded.embedder.release(job)
        self._embeds.remove(job)
        self._note_held()

    def _note_held(self) -> None:
        self._engine.cells.held = sum(job.held for job in self._embeds)

    def _fail(self, id: int, error: CorralError) -> None:  # noqa: A002 - it is the request's id
        figures = {"tokens": error.tokens, "context": error.context} if isinstance(error, ContextExceeded) else {}
        self._send(Failed(id, type(error).__name__, str(error), figures))
