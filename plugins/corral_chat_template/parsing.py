"""Read the answers of a model that only its chat template describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from corral.formats import Format, On, Sink, State
from corral.spec import ParserSupport

if TYPE_CHECKING:
    from corral_chat_template.traits import Traits

#: Reasoning is looked for under these tags in answers of templates that show none.
PLAIN_THINKING = ("<think>", "</think>")
#: Levels of a template that asks for one.
LEVELS = ("low", "medium", "high")


def answer_format(traits: Traits) -> Format:
    """Return the format of answers as a template shows it: reasoning, labels of plain text, calls."""
    answer = traits.answer
    opening, closing = (answer.thinking_open, answer.thinking_close) if answer.thinking_open else PLAIN_THINKING
    found = traits.calls_format
    calls = found.actions() if found else ()
    labels = [On(label, "content", at_start=True) for label in (answer.content_open, closing) if label]
    states = {
        "content": State(Sink.CONTENT, (On(opening, "thinking", at_start=True), *labels, *calls), trim_end=bool(calls)),
        "thinking": State(Sink.THINKING, (On(closing, "content"), *(on for on in calls if not on.at_start))),
        **(found.states() if found else {}),
    }
    return Format(states, calls=found.grammar if found else None)


def support(traits: Traits) -> ParserSupport:
    """Return what the answers of a template can hold."""
    has_calls = traits.tools and traits.calls_format is not None
    return ParserSupport(
        tools=has_calls,
        parallel_tools=has_calls and traits.parallel_calls,
        argument_streaming=has_calls,
        constrains=has_calls,
        thinking=_thinking(traits),
        thinking_levels=LEVELS if traits.reasoning_effort else (),
    )


def support_of(form: Format) -> ParserSupport:
    """Return what answers in a format can hold."""
    has_calls = any(on.call for state in form.states.values() for on in state.on)
    thinks = any(on.goto == "thinking" for state in form.states.values() for on in state.on)
    return ParserSupport(tools=has_calls, parallel_tools=has_calls, argument_streaming=has_calls, thinking="optional" if thinks else "none")


def _thinking(traits: Traits) -> Literal["none", "optional", "always"]:
    answer = traits.answer
    if not answer.thinking_open:
        return "none"
    is_prompted = answer.thinking_open in answer.prompted and answer.thinking_close not in answer.prompted
    return "always" if is_prompted and not traits.thinking_switch else "optional"
