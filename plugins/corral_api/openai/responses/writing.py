"""How a response looks, as a stream of events or whole: both are made by the same writer."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, TypeAlias, assert_never

import msgspec
from msgspec.structs import replace

from corral.conversation import Message, ToolCall
from corral.events import (
    ContentDelta,
    Diagnostic,
    Finish,
    Logprobs,
    ThinkingDelta,
    ThinkingEnd,
    ToolCallArgsDelta,
    ToolCallEnd,
    ToolCallStart,
)
from corral_api.answers import BROKEN, call_notices
from corral_api.arguments import arguments_of, arguments_text
from corral_api.openai.responses import events, schema
from corral_api.openai.schema import CachedOut, ReasoningTokens
from corral_api.schema import report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from corral.events import Event, Usage
    from corral_api.problems import Problem

Item: TypeAlias = schema.MessageItem | schema.ReasoningItem | schema.CallItem

_encode = msgspec.json.Encoder().encode


class ResponseWriter:
    """Writes one response as events, and knows the whole response when it is over."""

    def __init__(self, empty: schema.ResponseOut, on_end: Callable[[schema.ResponseOut], None]) -> None:
        self.response = empty
        self._on_end = on_end
        self._number = -1
        self._text: list[str] = []
        self._open: Item | None = None
        self._call_index = -1
        self._output: list[Item] = []
        self._notices: list[Diagnostic] = []

    def start(self) -> bytes:
        """Return the events that begin a response."""
        return _frames(self._begin())

    def event(self, event: Event) -> bytes:
        """Return the events that an event makes."""
        return _frames(self.made_of(event))

    def problem(self, problem: Problem) -> bytes:
        """Return the event that ends a broken stream."""
        error = schema.ErrorOut(problem.code or "server_error", problem.message)
        self.response = replace(self.response, status="failed", error=error, output=list(self._output))
        return _frames([events.Failed(self._next(), self.response)])

    def made_of(self, event: Event) -> Iterator[events.ResponseEvent]:
        """Yield the events that an event makes."""
        match event:
            case ContentDelta():
                yield from self._say(event.text)
            case ThinkingDelta():
                yield from self._think(event.text)
            case ToolCallStart():
                yield from self._begin_call(event)
            case ToolCallArgsDelta():
                yield from self._argue(event.json)
            case ToolCallEnd():
                yield from self._end_call(event)
            case Diagnostic():
                self._notices.append(event)
            case Finish():
                yield from self._finish(event)
            case ThinkingEnd() | Logprobs():
                return
            case _:
                assert_never(event)

    def _begin(self) -> Iterator[events.ResponseEvent]:
        yield events.Created(self._next(), self.response)
        yield events.InProgress(self._next(), self.response)

    def _say(self, text: str) -> Iterator[events.ResponseEvent]:
        if not isinstance(self._open, schema.MessageItem):
            item = schema.MessageItem(_id("msg"), "in_progress", [])
            yield from self._begin_item(item)
            yield events.TextPartAdded(self._next(), item.id, self._index, 0, schema.TextPart(""))
        self._text.append(text)
        yield events.TextDelta(self._next(), self._item_id, self._index, 0, text)

    def _think(self, text: str) -> Iterator[events.ResponseEvent]:
        if not isinstance(self._open, schema.ReasoningItem):
            item = schema.ReasoningItem(_id("rs"), [], status="in_progress")
            yield from self._begin_item(item)
            yield events.SummaryPartAdded(self._next(), item.id, self._index, 0, schema.SummaryPart(""))
        self._text.append(text)
        yield events.SummaryDelta(self._next(), self._item_id, self._index, 0, text)

    def _begin_call(self, event: ToolCallStart | ToolCallEnd) -> Iterator[events.ResponseEvent]:
        self._call_index = event.index
        yield from self._begin_item(schema.CallItem(_id("fc"), event.id, event.name, "", "in_progress"))

    def _argue(self, json: str) -> Iterator[events.ResponseEvent]:
        self._text.append(json)
        yield events.ArgumentsDelta(self._next(), self._item_id, self._index, json)

    def _end_call(self, event: ToolCallEnd) -> Iterator[events.ResponseEvent]:
        self._notices.extend(call_notices(event))
        has_begun = isinstance(self._open, schema.CallItem) and self._call_index == event.index
        if event.status in BROKEN and not has_begun:
            yield from self._say(event.raw) if event.raw else ()
            return
        if not has_begun:
            yield from self._begin_call(event)
        if not self._text:
            yield from self._argue(arguments_text(event))
        yield from self._end_item()

    def _begin_item(self, item: Item) -> Iterator[events.ResponseEvent]:
        yield from self._end_item()
        self._open = item
        yield events.ItemAdded(self._next(), self._index, item)

    def _end_item(self) -> Iterator[events.ResponseEvent]:
        """Close the item that is open, if one is, with its text in full."""
        text = "".join(self._text)
        match self._open:
            case None:
                return
            case schema.MessageItem() as item:
                part = schema.TextPart(text)
                done: Item = replace(item, status="completed", content=[part])
                yield events.TextDone(self._next(), item.id, self._index, 0, text)
                yield events.TextPartDone(self._next(), item.id, self._index, 0, part)
            case schema.ReasoningItem() as item:
                summary = schema.SummaryPart(text)
                done = replace(item, status="completed", summary=[summary])
                yield events.SummaryDone(self._next(), item.id, self._index, 0, text)
                yield events.SummaryPartDone(self._next(), item.id, self._index, 0, summary)
            case schema.CallItem() as item:
                done = replace(item, status="completed", arguments=text)
                yield events.ArgumentsDone(self._next(), item.id, self._index, item.name, text)
            case _:
                assert_never(self._open)
        yield events.ItemDone(self._next(), self._index, done)
        self._output.append(done)
        self._open = None
        self._text.clear()

    def _finish(self, event: Finish) -> Iterator[events.ResponseEvent]:
        yield from self._end_item()
        is_cut = event.reason == "length"
        self.response = replace(
            self.response,
            status="incomplete" if is_cut else "completed",
            completed_at=int(time.time()),
            incomplete_details=schema.IncompleteOut("max_output_tokens") if is_cut else None,
            output=list(self._output),
            usage=_usage(event.usage),
            corral=report(self._notices),
        )
        self._on_end(self.response)
        kind = events.Incomplete if is_cut else events.Completed
        yield kind(self._next(), self.response)

    @property
    def _index(self) -> int:
        return len(self._output)

    @property
    def _item_id(self) -> str:
        assert self._open is not None
        return self._open.id

    def _next(self) -> int:
        self._number += 1
        return self._number


def said(response: schema.ResponseOut) -> Message:
    """Return a response as the turn that it is in the conversation that follows."""
    texts = [part.text for item in response.output if isinstance(item, schema.MessageItem) for part in item.content]
    thoughts = [part.text for item in response.output if isinstance(item, schema.ReasoningItem) for part in item.summary]
    calls = [item for item in response.output if isinstance(item, schema.CallItem)]
    return Message(
        role="assistant",
        content="".join(texts),
        thinking="".join(thoughts),
        tool_calls=tuple(ToolCall(name=call.name, arguments=arguments_of(call.arguments), id=call.call_id) for call in calls),
    )


def _usage(usage: Usage) -> schema.UsageOut:
    return schema.UsageOut(
        usage.prompt_tokens,
        CachedOut(usage.cached_tokens),
        usage.completion_tokens,
        ReasoningTokens(usage.thinking_tokens),
        usage.prompt_tokens + usage.completion_tokens,
    )


def _id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


def _frames(made: Iterator[events.ResponseEvent] | list[events.ResponseEvent]) -> bytes:
    return b"".join(b"event: " + str(event.__struct_config__.tag).encode() + b"\ndata: " + _encode(event) + b"\n\n" for event in made)
