"""What an answer adds up to, once all of its events are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, assert_never

from corral.events import (
    CallStatus,
    ContentDelta,
    Diagnostic,
    Finish,
    Logprobs,
    ThinkingDelta,
    ThinkingEnd,
    TokenLogprob,
    ToolCallArgsDelta,
    ToolCallEnd,
    ToolCallStart,
)

if TYPE_CHECKING:
    from corral.events import Event

#: Calls that nobody should execute: their text is shown instead, so that nothing of the answer is lost.
BROKEN = frozenset({CallStatus.MALFORMED, CallStatus.TRUNCATED})


@dataclass(frozen=True, slots=True)
class Text:
    """A stretch of the answer proper."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """A stretch of reasoning."""

    text: str


Block: TypeAlias = Text | Thinking | ToolCallEnd


class Answer:
    """Folds events into blocks, in the order in which the model wrote them."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._run: list[str] = []
        self._run_kind: type[Text] | type[Thinking] = Text
        self.logprobs: list[TokenLogprob] = []
        self.notices: list[Diagnostic] = []
        self.finish = Finish("error")

    def add(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case ContentDelta():
                self._write(Text, event.text)
            case ThinkingDelta():
                self._write(Thinking, event.text)
            case ToolCallEnd():
                self._call(event)
            case Diagnostic():
                self.notices.append(event)
            case Logprobs():
                self.logprobs.extend(event.tokens)
            case Finish():
                self.finish = event
            case ThinkingEnd() | ToolCallStart() | ToolCallArgsDelta():
                return
            case _:
                assert_never(event)

    @property
    def blocks(self) -> list[Block]:
        """Return the blocks so far."""
        self._close_run()
        return self._blocks

    @property
    def text(self) -> str:
        """Return all text, joined."""
        return "".join(block.text for block in self.blocks if isinstance(block, Text))

    @property
    def thinking(self) -> str:
        """Return all reasoning, joined."""
        return "".join(block.text for block in self.blocks if isinstance(block, Thinking))

    @property
    def calls(self) -> list[ToolCallEnd]:
        """Return the calls that can be executed."""
        return [block for block in self.blocks if isinstance(block, ToolCallEnd)]

    def _write(self, kind: type[Text] | type[Thinking], text: str) -> None:
        if kind is not self._run_kind:
            self._close_run()
            self._run_kind = kind
        self._run.append(text)

    def _call(self, event: ToolCallEnd) -> None:
        self.notices.extend(call_notices(event))
        if event.status in BROKEN:
            self._write(Text, event.raw)
        else:
            self._close_run()
            self._blocks.append(event)

    def _close_run(self) -> None:
        if self._run:
            self._blocks.append(self._run_kind("".join(self._run)))
            self._run.clear()


def call_notices(call: ToolCallEnd) -> tuple[Diagnostic, ...]:
    """Return what a client should know about how a call was read; nothing when it was read without trouble."""
    if call.status is CallStatus.OK:
        return ()
    return (Diagnostic(f"tool_call_{call.status.value}", f"the call of '{call.name}' was read as {call.status.value}", call.raw),)
