"""Know the Go templates of all models in use: render with them, and say what their models write."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from corral.conversation import Prompt, Segment, SegmentKind
from corral_go_template.answers import Answer, answer_format, read_answer, support
from corral_go_template.renderer import choose_template, load, render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from corral.conversation import Conversation
    from corral.events import OutputParser
    from corral.spec import ModelSpec, ParserSupport

#: Parsed templates that are remembered; parsing one takes about a millisecond.
REMEMBERED = 64


class Templates:
    """Renders and reads with templates that are parsed once."""

    def __init__(self, today: Callable[[], date]) -> None:
        self._today = today
        self._load = lru_cache(maxsize=REMEMBERED)(load)

    def render(self, model: ModelSpec, conversation: Conversation) -> Prompt:
        """Return the prompt of a conversation."""
        template = self._load(choose_template(model, conversation))
        prompt = render(template, conversation, self._today())
        return replace(prompt, suffix=_suffix(prompt.segments, read_answer(template), conversation))

    def parser(self, model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
        """Return a parser for an answer to a prompt."""
        return answer_format(self._answer(conversation.template or model.template)).parser(conversation.tools, prompt.suffix)

    def support(self, model: ModelSpec) -> ParserSupport:
        """Return what a model's answers can hold."""
        return support(self._answer(model.template))

    def _answer(self, source: str) -> Answer:
        return read_answer(self._load(source)) if source else Answer()


def _suffix(segments: Sequence[Segment], answer: Answer, conversation: Conversation) -> str:
    """Return the thoughts that the end of the prompt, behind the last text of others, leaves open or closes."""
    last = conversation.messages[-1] if conversation.messages else None
    started = (last.content, last.thinking) if last and last.role == "assistant" else ()
    tail = ""
    for segment in reversed(segments):
        if segment.kind is not SegmentKind.CONTROL and segment.text not in started:
            break
        tail = segment.text + tail
    _, found, after = tail.rpartition(answer.thinking_open) if answer.thinking_open else ("", "", "")
    return found + after
