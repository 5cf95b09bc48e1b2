"""Which JSON the events of a streamed response are."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from corral_api.openai.responses.schema import (
    CallItem,
    MessageItem,
    ReasoningItem,
    ResponseOut,
    SummaryPart,
    TextPart,
)


class Numbered(Struct):
    """Every event has a number, counted from 0."""

    sequence_number: int


class _WithResponse(Numbered):
    response: ResponseOut


class Created(_WithResponse, tag="response.created"):
    """A response exists."""


class InProgress(_WithResponse, tag="response.in_progress"):
    """The model is at it."""


class Completed(_WithResponse, tag="response.completed"):
    """The response is complete."""


class Incomplete(_WithResponse, tag="response.incomplete"):
    """A limit cut the response."""


class Failed(_WithResponse, tag="response.failed"):
    """The response broke off."""


class _WithItem(Numbered):
    output_index: int
    item: MessageItem | ReasoningItem | CallItem


class ItemAdded(_WithItem, tag="response.output_item.added"):
    """An item begins."""


class ItemDone(_WithItem, tag="response.output_item.done"):
    """An item is over."""


class _OfItem(Numbered):
    item_id: str
    output_index: int


class _OfText(_OfItem):
    content_index: int


class TextPartAdded(_OfText, tag="response.content_part.added"):
    """A text begins."""

    part: TextPart


class TextDelta(_OfText, tag="response.output_text.delta"):
    """More text."""

    delta: str
    logprobs: list[object] = []


class TextDone(_OfText, tag="response.output_text.done"):
    """A text is over."""

    text: str
    logprobs: list[object] = []


class TextPartDone(_OfText, tag="response.content_part.done"):
    """A text is over, as a part."""

    part: TextPart


class _OfSummary(_OfItem):
    summary_index: int


class SummaryPartAdded(_OfSummary, tag="response.reasoning_summary_part.added"):
    """Reasoning begins."""

    part: SummaryPart


class SummaryDelta(_OfSummary, tag="response.reasoning_summary_text.delta"):
    """More reasoning."""

    delta: str


class SummaryDone(_OfSummary, tag="response.reasoning_summary_text.done"):
    """Reasoning is over."""

    text: str


class SummaryPartDone(_OfSummary, tag="response.reasoning_summary_part.done"):
    """Reasoning is over, as a part."""

    part: SummaryPart


class ArgumentsDelta(_OfItem, tag="response.function_call_arguments.delta"):
    """More of a call's arguments."""

    delta: str


class ArgumentsDone(_OfItem, tag="response.function_call_arguments.done"):
    """A call's arguments are complete."""

    name: str
    arguments: str


ResponseEvent: TypeAlias = (
    Created
    | InProgress
    | Completed
    | Incomplete
    | Failed
    | ItemAdded
    | ItemDone
    | TextPartAdded
    | TextDelta
    | TextDone
    | TextPartDone
    | SummaryPartAdded
    | SummaryDelta
    | SummaryDone
    | SummaryPartDone
    | ArgumentsDelta
    | ArgumentsDone
)
