"""Write the events of one answer: merge deltas, hold white space that may turn out to be layout, number the calls."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Literal

from corral.events import (
    ContentDelta,
    Diagnostic,
    ThinkingDelta,
    ThinkingEnd,
    ToolCallArgsDelta,
    ToolCallEnd,
    ToolCallStart,
)

if TYPE_CHECKING:
    from corral.events import ParserEvent


class Sink(Enum):
    """Where the text of a region goes. Text in SKIP that is not white space is reported as a diagnostic."""

    CONTENT = "content"
    THINKING = "thinking"
    SKIP = "skip"


class EventWriter:
    """Collect the events of one answer until they are drained."""

    def __init__(self) -> None:
        self.sink = Sink.CONTENT
        self.call_count = 0
        self._events: list[ParserEvent] = []
        self._pending: list[str] = []
        self._pending_sink = Sink.CONTENT
        self._arguments: list[str] = []
        self._arguments_index = 0
        self._held: list[str] = []
        self._trim_start = False
        self._trim_end = True
        self._is_blank = True
        self._is_open = False
        self._mute = 0

    @property
    def is_blank(self) -> bool:
        """Return whether the region has had no text but white space so far."""
        return self._is_blank

    def enter(self, sink: Sink, *, trim_start: bool, trim_end: bool) -> None:
        """Begin a region of text; `trim_start` drops its leading white space, `trim_end` the space before its closing tag."""
        self.sink = sink
        self._trim_start = trim_start
        self._trim_end = trim_end
        self._is_blank = True
        self._is_open = True

    def leave(self, reason: Literal["tag", "tool", "eos"]) -> None:
        """End the region, because of a tag, a call or the end of the answer."""
        if reason == "eos" or not self._trim_end:
            self._write(self._release())
        self._held.clear()
        self._mute = 0
        self._is_open = False
        if self.sink is Sink.THINKING:
            self._append(ThinkingEnd(reason))

    def text(self, piece: str) -> None:
        """Write text of the region; white space at its end waits until text or a tag follows."""
        if self._trim_start and self._is_blank:
            piece = piece.lstrip()
        body = piece.rstrip()
        if not body:
            if piece:
                self._held.append(piece)
            return
        self._is_blank = False
        held = self._release()
        self._write(held + body if held else body)
        if len(body) < len(piece):
            self._held.append(piece[len(body) :])

    def verbatim(self, piece: str) -> None:
        """Write text of the region at once, white space and all."""
        if piece:
            self._is_blank = False
            self._write(self._release() + piece)

    def diagnose(self, code: str, message: str, raw: str = "") -> None:
        """Report something that is not fatal."""
        self._append(Diagnostic(code, message, raw))

    def start_call(self, name: str) -> int:
        """Begin a call and return its index."""
        index = self.call_count
        self.call_count += 1
        self._append(ToolCallStart(index, name))
        return index

    def write_arguments(self, index: int, json: str) -> None:
        """Write a piece of a call's arguments."""
        if self._pending or index != self._arguments_index:
            self._flush()
        self._arguments_index = index
        self._arguments.append(json)

    def end_call(self, event: ToolCallEnd) -> None:
        """End a call."""
        self._append(event)

    def forget_text(self, unread: int) -> None:
        """Drop the text written so far, and the first `unread` characters and held space should they turn out to be text."""
        self._flush()
        silent = (ContentDelta, ThinkingDelta, ThinkingEnd, Diagnostic)
        self._events = [event for event in self._events if not isinstance(event, silent)]
        self._mute = unread + sum(map(len, self._held)) if self._is_open else 0

    def drain(self) -> list[ParserEvent]:
        """Return the events since the last drain."""
        self._flush()
        events, self._events = self._events, []
        return events

    def _release(self) -> str:
        held = "".join(self._held)
        self._held.clear()
        return held

    def _write(self, text: str) -> None:
        if self._mute:
            text, self._mute = text[self._mute :], max(0, self._mute - len(text))
        if not text:
            return
        if self._arguments or (self._pending and self._pending_sink is not self.sink):
            self._flush()
        self._pending_sink = self.sink
        self._pending.append(text)

    def _append(self, event: ParserEvent) -> None:
        self._flush()
        self._events.append(event)

    def _flush(self) -> None:
        if self._arguments:
            self._events.append(ToolCallArgsDelta(self._arguments_index, "".join(self._arguments)))
            self._arguments.clear()
        if not self._pending:
            return
        text = "".join(self._pending)
        self._pending.clear()
        match self._pending_sink:
            case Sink.CONTENT:
                self._events.append(ContentDelta(text))
            case Sink.THINKING:
                self._events.append(ThinkingDelta(text))
            case Sink.SKIP:
                self._events.append(Diagnostic("skipped_text", "text between calls that belongs to nothing", text))
