"""Fold the events of one answer into one message, and give calls their ids."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from corral.conversation import Message, ToolCall
from corral.events import ContentDelta, Diagnostic, ThinkingDelta, ToolCallEnd, ToolCallStart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corral.events import Event

_ID_CHARACTERS = string.ascii_lowercase + string.digits
_ID_LENGTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """All that one answer said. A call's arguments and status are in its `ToolCallEnd`."""

    content: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCallEnd, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    def message(self) -> Message:
        """Return the answer as a turn of a conversation."""
        calls = tuple(ToolCall(name=call.name, arguments=call.arguments, id=call.id) for call in self.tool_calls)
        return Message(role="assistant", content=self.content, thinking=self.thinking, tool_calls=calls)


class CallIds:
    """Gives every call of an answer an id, `call_` and eight letters or digits; inject `source` to make it predictable."""

    def __init__(self, source: random.Random | None = None) -> None:
        self._random = source or random.SystemRandom()
        self._ids: dict[int, str] = {}

    def identify(self, event: Event) -> Event:
        """Return the event with its call's id, or as it is."""
        if not isinstance(event, ToolCallStart | ToolCallEnd) or event.id:
            return event
        if event.index not in self._ids:
            self._ids[event.index] = "call_" + "".join(self._random.choices(_ID_CHARACTERS, k=_ID_LENGTH))
        return replace(event, id=self._ids[event.index])


class Assembler:
    """Collects events; `answer` is what they said so far."""

    def __init__(self) -> None:
        self._content: list[str] = []
        self._thinking: list[str] = []
        self._calls: list[ToolCallEnd] = []
        self._diagnostics: list[Diagnostic] = []

    def add(self, events: Iterable[Event]) -> None:
        """Take the next events."""
        for event in events:
            match event:
                case ContentDelta(text):
                    self._content.append(text)
                case ThinkingDelta(text):
                    self._thinking.append(text)
                case ToolCallEnd():
                    self._calls.append(event)
                case Diagnostic():
                    self._diagnostics.append(event)
                case _:
                    continue

    @property
    def answer(self) -> Answer:
        """Return all that the events said."""
        return Answer(
            content="".join(self._content),
            thinking="".join(self._thinking),
            tool_calls=tuple(self._calls),
            diagnostics=tuple(self._diagnostics),
        )


def fold(events: Iterable[Event]) -> Answer:
    """Return what a whole stream of events said."""
    assembler = Assembler()
    assembler.add(events)
    return assembler.answer
