"""The engine: admit, make room, evaluate, choose; one step after the other, all streams in one batch."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from corral.errors import CorralError, RunnerError
from corral_llama_cpp.engine.cells import Cells
from corral_llama_cpp.engine.checkpoints import marks
from corral_llama_cpp.engine.limits import answer_limit, fit, window
from corral_llama_cpp.engine.parking import Parking
from corral_llama_cpp.engine.plan import Pacer, Want, compose
from corral_llama_cpp.engine.prefixes import common_prefix
from corral_llama_cpp.engine.seams import Batch, Cut, SamplingFailed
from corral_llama_cpp.engine.stream import Stream
from corral_llama_cpp.wire import Note

if TYPE_CHECKING:
    from collections.abc import Callable

    from corral_llama_cpp.engine.seams import Backend
    from corral_llama_cpp.wire import Generate, Output

#: A prefix that another stream is computing is waited for when it spares at least this many tokens.
WORTH_WAITING = 16
#: Guessed tokens of all streams in one step; more would make everybody wait.
MOST_DRAFTED = 32
#: With more answers than these a further row of the batch costs as much as it could spare (1.9 for 2 rows, 3.0 for 4, 5.2 for 8 of 1).
MOST_GUESSING = 2
#: Rows from which on llama.cpp's attention on a CPU takes blocks of as many; one with answers in it passes over everybody's cells.
BLOCK_ROWS = 64


@dataclass(slots=True)
class Part:
    """What one stream has in a batch: `tokens` from its pending ones, then `drafted`; `row` is its first output."""

    stream: Stream
    tokens: list[int]
    drafted: list[int]
    row: int | None


class Engine:
    """Decodes for many streams at once. One thread calls everything; `fail` is told of requests that came to nothing."""

    def __init__(
        self,
        backend: Backend,
        *,
        slots: int,
        sequences: int,
        idle_cells: int,
        parking_bytes: int,
        spacing: int,
        apart_cells: float,
        fail: Callable[[int, CorralError], None],
    ) -> None:
        self._backend = backend
        self._slots = slots
        self._spacing = spacing
        #: With more cells in use than these, a block of the attention costs more than a second batch.
        self._apart_cells = apart_cells
        self._fail = fail
        #: Whether it matters where the last message of a prompt begins.
        self.takes_checkpoints = backend.cut is Cut.AT_CHECKPOINTS
        checkpoint_bytes = parking_bytes // 2 if self.takes_checkpoints else 0
        self._cells = Cells(
            backend.memory,
            Parking(parking_bytes - checkpoint_bytes),
            capacity=backend.context_tokens * slots,
            sequences=sequences,
            idle_cells=idle_cells,
            cut=backend.cut,
            checkpoint_bytes=checkpoint_bytes,
        )
        self._pacer = Pacer(backend.batch_tokens)
        self._waiting: deque[Stream] = deque()
        self._streams: list[Stream] = []
        #: Whether the cache may hold more idle sequences than are good for the running ones.
        self._is_untidy = False

    @property
    def cells(self) -> Cells:
        """Return the book of the cache."""
        return self._cells

    @property
    def is_idle(self) -> bool:
        """Return whether there is nothing to do."""
        return not self._streams and not self._waiting

    @property
    def running(self) -> int:
        """Return the number of streams whose answer has begun."""
        return sum(stream.is_running for stream in self._streams)

    def submit(self, request: Generate, prompt: list[int], turn: int = 0) -> None:
        """Queue a request; one that can't be served fails at once. `turn` is where the last message of its prompt begins."""
        try:
            stream = self._stream(request, prompt)
            stream.turn = turn
            self._waiting.append(stream)
        except CorralError as error:
            self._fail(request.id, error)

    def cancel(self, id: int) -> None:  # noqa: A002 - it is the request's id
        """Forget a request; what the cache holds of it stays as a prefix for others."""
        for stream in [s for s in (*self._waiting, *self._streams) if s.id == id]:
            self._leave(stream)

    def step(self) -> tuple[Output, ...]:
        """Evaluate one batch and return what it brought."""
        if self._waiting:
            self._admit()
        if self._is_untidy:
            # Not sooner: what one prompt has no use for may be what the next one begins with.
            self._cells.trim()
            self._is_untidy = False
        for stream in self._streams:
            self._follow(stream)
            self._slide(stream)
        for parts, batch in self._compose():
            self._evaluate(parts, batch)
        outputs = [output for stream in self._streams if (output := stream.output())]
        for stream in [s for s in self._streams if s.is_over]:
            self._leave(stream)
        return tuple(outputs)

    def rest(self) -> bool:
        """Do a little of what the next request would have to wait for; False when nothing is left to do."""
        return self.is_idle and self._cells.settle()

    def _stream(self, request: Generate, prompt: list[int]) -> Stream:
        backend = self._backend
        if not prompt:
            prompt = [backend.start_token]
        view = window(backend.context_tokens, request.sampling.num_keep, len(prompt), adds_bos=backend.adds_bos)
        kept = fit(prompt, view, truncate=request.truncate, shift=request.shift)
        limit = answer_limit(request.sampling.num_predict, backend.context_tokens)
        stream = Stream(request, kept, window=view, limit=limit, sampler=backend.sampler(request, kept))
        if len(kept) < len(prompt):
            cut = f"the prompt has {len(prompt)} tokens; {len(prompt) - len(kept)} of them were left out to fit the context"
            stream.note(Note("prompt_truncated", cut))
        return stream

    def _admit(self) -> None:
        while self._waiting and len(self._streams) < self._slots and self._admit_first():
            self._is_untidy = True

    def _admit_first(self) -> bool:
        """Give the longest waiting stream a sequence; False when there is none."""
        target = self._waiting[0].target
        # Where this prompt leaves what is known, others will; the book may forget it while room is made.
        parting = self._cells.parting(target)
        sequence = self._cells.open(target)
        if sequence is None:
            return False
        stream = self._waiting.popleft()
        stream.admit(sequence)
        if self.takes_checkpoints:
            stream.marks = marks(len(target), stream.computed, [stream.turn, parting], self._spacing)
        self._streams.append(stream)
        self._find_leader(stream)
        return True

    def _find_leader(self, stream: Stream) -> None:
        """Look for an older stream that will compute more of this prompt than the cache holds."""
        stream.leader = None
        if self._backend.cut is Cut.NOWHERE:
            return
        reach = stream.computed + WORTH_WAITING
        for other in self._streams[: self._streams.index(stream)]:
            length = min(common_prefix(other.target, stream.target), len(stream.target) - 1)
            if other.computed < length and length >= reach:
                stream.leader, stream.lead_tokens, reach = other, length, length + 1
        if stream.leader is not None and self.takes_checkpoints:
            stream.leader.marks.append(stream.lead_tokens)

    def _follow(self, stream: Stream) -> None:
        """Share what the leader has computed, once it has come far enough or has gone."""
        leader = stream.leader
        if leader is None or not (leader.is_over or leader.computed >= stream.lead_tokens):
            return
        if stream.sequence is not None:
            stream.cached_tokens += self._cells.extend(stream.sequence, stream.target)
        self._find_leader(stream)

    def _slide(self, stream: Stream) -> None:
        """Make room in a full window, or end the answer."""
        view, sequence = stream.window, stream.sequence
        if sequence is None or len(stream.target) <= view.size:
            return
        if not stream.request.shift:
            stream.end("length")
            return
        keep, discard = view.keep, view.discard
        if not (self._backend.can_shift and self._cells.slide(sequence, keep, discard)):
            self._cells.cut(sequence, keep)
        stream.marks.clear()
        del stream.target[keep : keep + discard]
        stream.note(Note("context_shifted", f"the context is full; {discard} tokens after the first {keep} were dropped"))

    def _compose(self) -> list[tuple[list[Part], Batch]]:
        streams = [s for s in self._streams if s.leader is None and not s.is_over]
        wants = [Want(s.next_tokens, s.is_running) for s in streams]
        running = sum(want.running for want in wants)
        chunk = self._pacer.chunk(running=running, waiting=len(wants) - running)
        shares = compose(wants, batch=self._backend.batch_tokens, chunk=chunk)
        room = MOST_DRAFTED // running if 0 < running == len(wants) <= MOST_GUESSING else 0
        given = [(stream, share) for stream, share in zip(streams, shares, strict=True) if share]
        return [self._batch(group, room) for group in self._groups(given)]

    def _groups(self, given: list[tuple[Stream, int]]) -> list[list[tuple[Stream, int]]]:
        """Return who is evaluated together: all, or answers apart from prompts where that is faster."""
        rows = sum(share for _, share in given)
        if rows < BLOCK_ROWS or self._cells.used <= self._apart_cells:
            return [given] if given else []
        answers = [pair for pair in given if pair[0].is_running]
        prompts = [pair for pair in given if not pair[0].is_running]
        return [group for group in (answers, prompts) if group]

    def _batch(self, given: list[tuple[Stream, int]], room: int) -> tuple[list[Part], Batch]:
        batch = Batch()
        return [self._add(stream, share, room, batch) for stream, share in given], batch

    def _add(self, stream: Stream, share: int, room: int, batch: Batch) -> Part:
        start = stream.computed
        tokens = stream.target[start : start + share]
        drafted = self._draft(stream, room) if room and stream.is_running and self._backend.cut.can_undo else []
        is_last = start + share == len(stream.target)
        assert stream.sequence is not None
        row = batch.add(tokens + drafted, start, stream.sequence.id, 1 + len(drafted) if is_last else 0)
        return Part(stream, tokens, drafted, row if is_last else None)

    def _draft(self, stream: Stream, room: int) -> list[int]:
        """Guess from what was said before, else by the draft model."""
        guesser = self._backend.guesser
        most = stream.draft_room(room)
        drafted = stream.look_up(most) if most else []
        if drafted or guesser is None or not most:
            return drafted
        return guesser.guess(stream.id, stream.target, most)

    def _evaluate(self, parts: list[Part], batch: Batch) -> None:
        self._cells.reserve(len(batch.tokens))
        started = perf_counter()
        if self._backend.decode(batch):
            self._recover(parts)
            return
        self._pacer.learn(len(batch.tokens), perf_counter() - started)
        for part in parts:
            self._settle(part)

    def _recover(self, parts: list[Part]) -> None:
        """After a failed batch, bring cache and book together and evaluate each part alone; who fails alone, fails."""
        for part in parts:
            self._undo(part)
        for part in parts:
            self._retry(part)

    def _undo(self, part: Part) -> None:
        sequence = part.stream.sequence
        if sequence is not None:
            self._cells.cut(sequence, len(sequence.tokens))

    def _retry(self, part: Part) -> None:
        stream, alone = part.stream, Batch()
        again = self._add(stream, min(stream.pending, len(part.tokens)), 0, alone)
        self._cells.reserve(len(alone.tokens))
        status = self._backend.decode(alone)
        if status:
            self._undo(again)
            self._abandon(stream, RunnerError(f"the model could not evaluate this request (llama_decode says {status})"))
        else:
            self._settle(again)

    def _settle(self, part: Part) -> None:
        """Note what a part has put into the cache, and choose what follows."""
        sequence = part.stream.sequence
        assert sequence is not None
        self._cells.append(sequence, part.tokens)
        if part.stream.computed in part.stream.marks:
            self._cells.checkpoint(sequence)
        if part.row is None:
            return
        try:
            accepted = self._choose(part, part.row)
        except SamplingFailed as error:
            self._cells.cut(sequence, len(sequence.tokens))
            self._abandon(part.stream, RunnerError(str(error)))
            return
        if part.drafted:
            self._cells.append(sequence, part.drafted[:accepted])
        if accepted < len(part.drafted):
            self._cells.cut(sequence, len(sequence.tokens))

    def _choose(self, part: Part, row: int) -> int:
        """Choose tokens while they are the drafted ones; return how many of those were right."""
        stream, drafted = part.stream, part.drafted
        if stream.limit == 0:
            stream.end("length")
            return 0
        accepted = 0
        while True:
            token = self._choose_one(stream, row + accepted)
            if accepted == len(drafted) or token != drafted[accepted]:
                break
            accepted += 1
            if stream.is_over:
                break
        self._judge(stream, len(drafted), accepted)
        return accepted

    def _choose_one(self, stream: Stream, row: int) -> int:
        backend = self._backend
        token = stream.sampler.sample(row)
        top = stream.request.logprobs
        logprob = None if top is None else backend.probabilities(row, token, top)
        stream.take(token, backend.piece(token), logprob, is_end=backend.is_end(token))
        return token

    def _judge(self, stream: Stream, drafted: int, accepted: int) -> None:
        if not drafted:
            stream.pace.plain()
            return
        stream.draft_tokens += drafted
        stream.accepted_tokens += accepted
        stream.pace.judge(drafted, accepted)

    def _abandon(self, stream: Stream, error: CorralError) -> None:
        self._leave(stream)
        self._fail(stream.id, error)

    def _leave(self, stream: Stream) -> None:
        stream.is_over = True
        stream.sampler.close()
        if self._backend.guesser is not None:
            self._backend.guesser.forget(stream.id)
        if stream.sequence is not None:
            self._cells.close(stream.sequence)
            stream.sequence = None
            self._is_untidy = True
        for queue in (self._waiting, self._streams):
            if stream in queue:
                queue.remove(stream)
