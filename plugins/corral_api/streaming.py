"""How the events of an answer reach a client, as one document or as a stream of bytes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from corral.errors import RunnerError
from corral.events import Diagnostic, Finish
from corral_api import heartbeat
from corral_api.answers import Answer
from corral_api.problems import problem_of
from corral_api.web import notice_codes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from corral.events import Event
    from corral_api.problems import Problem


class EventWriter(Protocol):
    """Writes one answer in a dialect; it may keep state between events."""

    def start(self) -> bytes:
        """Return what comes before the first event."""

    def event(self, event: Event) -> bytes:
        """Return what an event adds to the stream; nothing when the dialect does not show it."""


class Writer(EventWriter, Protocol):
    """Writes one answer, and what is said when it breaks off."""

    def problem(self, problem: Problem) -> bytes:
        """Return how the stream says that it ends early."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer: early notices, the first event that is none, and the rest. `late` is still waiting for the first event."""

    notices: tuple[Diagnostic, ...]
    first: Event | None
    rest: AsyncGenerator[Event, None]
    late: asyncio.Future[Opened] | None = None

    @property
    def codes(self) -> str:
        """Return the codes of the early notices, as a header shows them."""
        return notice_codes(self.notices)

    async def aclose(self) -> None:
        """End the answer, however far it is."""
        if self.late is not None:
            # A generator can be closed only when nobody waits for its next item.
            await _end(self.late)
        await self.rest.aclose()


async def open_answer(events: AsyncGenerator[Event, None]) -> Opened:
    """Wait for the first event that is no notice, so that an error before it still gets a status of its own."""
    notices: list[Diagnostic] = []
    async for event in events:
        if not isinstance(event, Diagnostic):
            return Opened(tuple(notices), event, events)
        notices.append(event)
    return Opened(tuple(notices), None, events)


async def open_soon(events: AsyncGenerator[Event, None]) -> Opened:
    """Open an answer as `open_answer` does, but without a long silence: an error that comes later is part of the stream."""
    opening = asyncio.ensure_future(open_answer(events))
    late = Opened((), None, events, opening)
    try:
        done, _ = await asyncio.wait({opening}, timeout=heartbeat.PING_S)
    except asyncio.CancelledError:
        await late.aclose()
        raise
    return opening.result() if done else late


def unopened(events: AsyncGenerator[Event, None]) -> Opened:
    """Return an answer that nobody has waited for yet."""
    return Opened((), None, events)


async def _end(task: asyncio.Future[Opened]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        # Asked for, so that asyncio does not complain of an error that nobody wants to know any more.
        task.exception()


async def all_events(opened: Opened) -> AsyncGenerator[Event, None]:
    """Yield every event of an answer; closing this closes the answer."""
    async with aclosing(opened):
        if opened.late is not None:
            opened = await opened.late
        for notice in opened.notices:
            yield notice
        if opened.first is not None:
            yield _checked(opened.first)
        async for event in opened.rest:
            yield _checked(event)


def _checked(event: Event) -> Event:
    """Return an event, unless it is the end of an answer that is not complete."""
    if isinstance(event, Finish) and event.reason in ("error", "cancelled"):
        raise RunnerError(f"the model stopped before its answer was complete ({event.reason})")
    return event


async def fold(opened: Opened) -> Answer:
    """Return what the whole answer adds up to."""
    answer = Answer()
    async with aclosing(all_events(opened)) as events:
        async for event in events:
            answer.add(event)
    return answer


async def written(opened: Opened, writer: EventWriter) -> AsyncGenerator[bytes, None]:
    """Yield an answer as a writer writes it."""
    # Around everything: a client may leave before the first event is asked for, and then only this ends the answer.
    async with aclosing(opened), aclosing(all_events(opened)) as events:
        head = writer.start()
        if head and opened.first is None:
            yield head
            head = b""
        async for event in events:
            # The beginning goes out together with the first event where that is here already: it is waited for.
            data, head = head + writer.event(event), b""
            if data:
                yield data


async def stream(opened: Opened, writer: Writer) -> AsyncGenerator[bytes, None]:
    """Yield an answer as a writer writes it; an error in the middle becomes the writer's own kind of ending."""
    try:
        async with aclosing(written(opened, writer)) as chunks:
            async for chunk in chunks:
                yield chunk
    except Exception as error:  # noqa: BLE001 - the status is out already; the stream must say what happened
        yield writer.problem(problem_of(error))
