"""One answer in the making: what was asked, what has been written, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from corral.events import Usage
from corral_llama_cpp.engine.drafts import Lookup, Pace
from corral_llama_cpp.engine.repetition import SPAN, STRIDE, is_cycle
from corral_llama_cpp.engine.text import TextStream
from corral_llama_cpp.wire import End, Note, Output

if TYPE_CHECKING:
    from corral.events import FinishReason, TokenLogprob
    from corral_llama_cpp.engine.cells import Sequence
    from corral_llama_cpp.engine.limits import Window
    from corral_llama_cpp.engine.seams import Sampler
    from corral_llama_cpp.wire import Generate


@dataclass(slots=True)
class Clock:
    """When things happened, in seconds of the performance counter; 0 for not yet."""

    asked: float = field(default_factory=perf_counter)
    admitted: float = 0.0
    answering: float = 0.0


class Stream:
    """One answer. `target` are the tokens the cache must hold for the next one to be chosen."""

    def __init__(self, request: Generate, prompt: list[int], *, window: Window, limit: int, sampler: Sampler) -> None:
        self.request = request
        self.id = request.id
        self.target = list(prompt)
        self.prompt_tokens = len(prompt)
        self.window = window
        self.limit = limit
        self.sampler = sampler
        self.sequence: Sequence | None = None
        #: The stream that is just computing a prefix of this one, and how long that prefix is.
        self.leader: Stream | None = None
        self.lead_tokens = 0
        #: Where the last message of the prompt begins, and after how many tokens of the target a checkpoint is made.
        self.turn = 0
        self.marks: list[int] = []
        self.is_over = False
        self.lookup: Lookup | None = None
        self.pace = Pace(request.sampling.draft_num_predict) if request.sampling.draft_num_predict > 0 else Pace()
        self.cached_tokens = 0
        self.draft_tokens = 0
        self.accepted_tokens = 0
        self._clock = Clock()
        self._all = list(prompt)
        self._text = TextStream(request.stop)
        self._shown: list[str] = []
        self._notes: list[Note] = []
        self._logprobs: list[TokenLogprob] = []
        self._told_tokens = 0
        self._end: End | None = None

    @property
    def computed(self) -> int:
        """Return how many tokens of the target the cache holds."""
        return len(self.sequence.tokens) if self.sequence else 0

    @property
    def pending(self) -> int:
        """Return how many tokens of the target are not evaluated yet."""
        return len(self.target) - self.computed

    @property
    def next_tokens(self) -> int:
        """Return how many tokens may be evaluated at once: those to the next mark, or all that are pending."""
        computed = self.computed
        return min([mark - computed for mark in self.marks if mark > computed] + [len(self.target) - computed])

    @property
    def is_running(self) -> bool:
        """Return whether the answer has begun, and only its last token is pending."""
        return len(self._all) > self.prompt_tokens and self.pending == 1

    @property
    def completion_tokens(self) -> int:
        """Return how many tokens were chosen."""
        return len(self._all) - self.prompt_tokens

    @property
    def takes_drafts(self) -> bool:
        """Return whether tokens may be guessed for this request."""
        return self.request.sampling.draft_num_predict != 0

    def admit(self, sequence: Sequence) -> None:
        """Start with a sequence of the cache, which may hold a prefix already."""
        self.sequence = sequence
        self.cached_tokens = len(sequence.tokens)
        self._clock.admitted = perf_counter()

    def draft_room(self, room: int) -> int:
        """Return how many tokens after the pending one may be guessed now; 0 when guessing does not pay."""
        left = min(room, self.window.size - len(self.target), self.limit - self.completion_tokens - 1)
        return self.pace.length(left) if left > 0 and self.takes_drafts else 0

    def look_up(self, length: int) -> list[int]:
        """Return a guess of at most `length` tokens from what was said before; empty when nothing repeats."""
        if self.lookup is None:
            self.lookup = Lookup(self._all)
        return self.lookup.draft(length, self.pace.match)

    def note(self, note: Note) -> None:
        """Tell the client something."""
        self._notes.append(note)

    def take(self, token: int, data: bytes, logprob: TokenLogprob | None, *, is_end: bool) -> None:
        """Take a chosen token; the answer may be over with it."""
        self._clock.answering = self._clock.answering or perf_counter()
        self.target.append(token)
        self._all.append(token)
        if self.lookup is not None:
            self.lookup.extend([token])
        if logprob is not None and not is_end:
            self._logprobs.append(logprob)
        if is_end:
            self.end("stop")
            return
        self._shown.append(self._text.feed(data))
        if self._text.stop:
            self.end("stop")
        elif self.completion_tokens >= self.limit:
            self.end("length")
        elif self._goes_round():
            self.note(Note("repetition_stopped", f"the last {SPAN} tokens repeat one short text; set num_predict to have more of it"))
            self.end("length")

    def end(self, reason: FinishReason) -> None:
        """Close the answer: show what was held back, and count."""
        self.is_over = True
        self._shown.append(self._text.finish())
        self._end = End(reason="stop" if self._text.stop else reason, usage=self._usage(), stop=self._text.stop, tokens=tuple(self._all))

    def output(self) -> Output | None:
        """Return what has come since the last call; None when nothing has."""
        text = "".join(self._shown)
        if not (text or self._notes or self._logprobs or self._end):
            return None
        tokens = 0
        if text or self._logprobs:
            tokens, self._told_tokens = self.completion_tokens - self._told_tokens, self.completion_tokens
        output = Output(self.id, text, self._end, tuple(self._notes), tuple(self._logprobs), tokens)
        self._shown, self._notes, self._logprobs = [], [], []
        return output

    def _goes_round(self) -> bool:
        """Return whether an answer without a limit of its own only repeats itself; looked at now and then."""
        is_due = self.completion_tokens >= SPAN and self.completion_tokens % STRIDE == 0
        return is_due and self.request.sampling.num_predict < 0 and is_cycle(self._all)

    def _usage(self) -> Usage:
        now = perf_counter()
        admitted = self._clock.admitted or now
        answering = self._clock.answering or now
        return Usage(
            prompt_tokens=self.prompt_tokens,
            cached_tokens=self.cached_tokens,
            completion_tokens=self.completion_tokens,
            draft_tokens=self.draft_tokens,
            accepted_tokens=self.accepted_tokens,
            prompt_s=answering - admitted,
            completion_s=now - answering,
            queue_s=admitted - self._clock.asked,
            total_s=now - self._clock.asked,
        )
