"""The commonest format of all: thinking between tags first, if at all, then content with calls in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats.machine import Format, On, State
from corral.formats.output import Sink

if TYPE_CHECKING:
    from corral.formats.answer_grammar import CallGrammar


def thinking_format(*calls: On, grammar: CallGrammar | None = None, open_tag: str = "<think>", close_tag: str = "</think>") -> Format:
    """Return a format that may think at the start, and writes calls after tags; a call also ends the thinking."""
    return Format(
        start="start",
        states={
            "start": State(Sink.CONTENT, (On(open_tag, goto="thinking", at_start=True), *calls)),
            "thinking": State(Sink.THINKING, (On(close_tag, goto="content"), *calls)),
            "content": State(Sink.CONTENT, calls),
        },
        calls=grammar,
    )
