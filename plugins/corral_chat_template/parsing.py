"""Read the answers of a model that only its chat template describes."""

from __future__ import annotations

from corral.formats.machine import Format, On, State
from corral.formats.output import Sink


def plain_format() -> Format:
    """Return the format of models about which nothing is known: text, with a `<think>` block in front at most."""
    return Format(
        states={
            "content": State(Sink.CONTENT, (On("<think>", "thinking", at_start=True),), trim_start=True, trim_end=False),
            "thinking": State(Sink.THINKING, (On("</think>", "content"),)),
        }
    )
