"""Turn what a runner puts out into the events of an answer."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from corral.events import ContentDelta, Diagnostic, Finish, Logprobs, ThinkingDelta, ThinkingEnd, ToolCallEnd, ToolCallStart, Usage
from corral.runners import Done, Notice, Piece

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

    from corral.events import Event, OutputParser, ParserEvent
    from corral.runners import Output

#: Ollama's form of a call id: clients keep it as an opaque string.
_ID_ALPHABET = string.ascii_lowercase + string.digits


class Reading:
    """One answer being read; without a parser everything is content."""

    def __init__(self, parser: OutputParser | None, random: Random) -> None:
        self.parser = parser
        self._random = random
        self._ids: dict[int, str] = {}
        self._done: Done | None = None
        #: Tokens that have not become an event yet, and those that became thinking.
        self._pending_tokens = 0
        self._thinking_tokens = 0

    @property
    def is_over(self) -> bool:
        """Return whether the runner has said that it is done; what it says after that is no part of the answer."""
        return self._done is not None

    def read(self, output: Output) -> Iterator[Event]:
        """Yield the events that one output of the runner completes."""
        match output:
            case Piece():
                self._pending_tokens += output.tokens
                if output.text:
                    yield from self._feed(output.text)
                if output.logprobs:
                    yield Logprobs(output.logprobs)
            case Notice():
                yield Diagnostic(output.code, output.message)
            case Done():
                self._done = output
            case _:
                assert_never(output)

    def finish(self, *, queue_s: float, load_s: float, total_s: float) -> Iterator[Event]:
        """Yield what the parser held back, and the end with its usage."""
        done = self._done or Done(reason="error", usage=Usage())
        if self.parser is not None:
            yield from self._identified(self.parser.finish(done.reason))
        usage = replace(done.usage, thinking_tokens=self._thinking_tokens, queue_s=queue_s, load_s=load_s, total_s=total_s)
        yield Finish(done.reason, usage, done.tokens, done.stop)

    def _feed(self, text: str) -> Iterator[Event]:
        if self.parser is None:
            yield ContentDelta(text)
        else:
            yield from self._identified(self.parser.feed(text))

    def _identified(self, events: Iterable[ParserEvent]) -> Iterator[Event]:
        for event in events:
            self._attribute(event)
            if isinstance(event, ToolCallStart | ToolCallEnd):
                yield replace(event, id=self._id(event.index))
            else:
                yield event

    def _attribute(self, event: ParserEvent) -> None:
        """Count the tokens that led to an event for what it is; those of a tag belong to what the tag begins or ends."""
        if isinstance(event, Diagnostic):
            return
        if isinstance(event, ThinkingDelta | ThinkingEnd):
            self._thinking_tokens += self._pending_tokens
        self._pending_tokens = 0

    def _id(self, index: int) -> str:
        if index not in self._ids:
            self._ids[index] = "call_" + "".join(self._random.choices(_ID_ALPHABET, k=8))
        return self._ids[index]
