"""Read the answers of a model that only its chat template describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from corral.formats.machine import Format, On, State
from corral.formats.output import Sink
from corral.spec import ParserSupport

if TYPE_CHECKING:
    from corral_chat_template.traits import Answer, Traits

#: Reasoning is looked for under these tags in answers of templates that show none.
PLAIN_THINKING = ("<think>", "</think>")
#: Levels of a template that asks for one.
LEVELS = ("low", "medium", "high")


def answer_format(answer: Answer) -> Format:
    """Return the format of answers as a template shows it."""
    opening, closing = (answer.thinking_open, answer.thinking_close) if answer.thinking_open else PLAIN_THINKING
    before_text = (On(opening, "thinking", at_start=True), *_skipped(answer, closing))
    return Format(
        states={
            "content": State(Sink.CONTENT, before_text, trim_start=True, trim_end=False),
            "thinking": State(Sink.THINKING, (On(closing, "content"),)),
        }
    )


def _skipped(answer: Answer, closing: str) -> tuple[On, ...]:
    """Return the labels of plain text, and the end of reasoning that the prompt closed already."""
    labels = [label for label in (answer.content_open, closing) if label]
    return tuple(On(label, "content", at_start=True) for label in labels)


def support(traits: Traits) -> ParserSupport:
    """Return what the answers of a template can hold."""
    return ParserSupport(thinking=_thinking(traits), thinking_levels=LEVELS if traits.reasoning_effort else ())


def _thinking(traits: Traits) -> Literal["none", "optional", "always"]:
    answer = traits.answer
    if not answer.thinking_open:
        return "none"
    is_prompted = answer.thinking_open in answer.prompted and answer.thinking_close not in answer.prompted
    return "always" if is_prompted and not traits.thinking_switch else "optional"
