"""How much and how slowly a client may send and read, and how often it may ask."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, MutableMapping

    from corral.api import Receive, Send

#: How long a client may pause while it sends a body, and while it should read an answer.
STALL_S = 60.0

#: Callers whose rate is remembered; the ones that came longest ago are forgotten first.
_MOST_CALLERS = 10_000


class BodyTooLarge(Exception):
    """A body is larger than allowed."""


class ClientStalled(Exception):
    """A client neither sends nor reads."""


class BoundedReceive:
    """A receive that counts the body, does not wait for ever for its next piece, and can be cut off."""

    def __init__(self, receive: Receive, most_bytes: int | None) -> None:
        self._receive = receive
        self._left = most_bytes
        self._is_complete = False
        self._end: asyncio.Future[MutableMapping[str, Any]] | None = None
        self._is_cut = False

    async def __call__(self) -> MutableMapping[str, Any]:
        """Return the next message; raise BodyTooLarge or ClientStalled."""
        if self._is_complete or self._is_cut:
            return await self._wait_for_end()
        message = await within_stall(self._receive)
        if message["type"] == "http.request":
            self._count(len(message.get("body", b"")))
            self._is_complete = not message.get("more_body", False)
        return message

    def cut(self) -> None:
        """Make it look as if the client had gone: the app then ends what it does for it."""
        self._is_cut = True
        if self._end is not None:
            self._end.cancel()

    async def _wait_for_end(self) -> MutableMapping[str, Any]:
        """Wait for the end of the connection; that may take as long as the answer."""
        if not self._is_cut:
            self._end = asyncio.ensure_future(self._receive())
            try:
                return await self._end
            except asyncio.CancelledError:
                if not self._is_cut:
                    raise
        return {"type": "http.disconnect"}

    def _count(self, size: int) -> None:
        if self._left is None:
            return
        self._left -= size
        if self._left < 0:
            raise BodyTooLarge


async def within_stall(receive: Receive) -> MutableMapping[str, Any]:
    """Return the next message of a client that still sends."""
    try:
        async with asyncio.timeout(STALL_S):
            return await receive()
    except TimeoutError as error:
        raise ClientStalled from error


def send_within_stall(send: Send, message: MutableMapping[str, Any]) -> Awaitable[None]:
    """Send a message to a client that still reads."""
    return _Sending(send(message))


class _Sending:
    """Awaits a send under a timer, which is set only when the send has to wait: hardly one of a thousand tokens does."""

    def __init__(self, sending: Awaitable[None]) -> None:
        self._steps = sending.__await__()

    def __await__(self) -> Generator[Any, Any, None]:
        try:
            waits_for = next(self._steps)
        except StopIteration:
            return
        yield from _within_stall(_Rest(waits_for, self._steps)).__await__()


@dataclass(frozen=True, slots=True)
class _Rest:
    """An awaitable that was begun already: what it waits for, and its further steps."""

    waits_for: object
    steps: Generator[Any, Any, None]

    def __await__(self) -> Generator[Any, Any, None]:
        try:
            yield self.waits_for
        except BaseException as error:  # noqa: BLE001 - what is thrown at us (a cancellation) is meant for whoever waits
            try:
                waits_for = self.steps.throw(error)
            except StopIteration:
                return
            yield from _Rest(waits_for, self.steps).__await__()
        else:
            yield from self.steps


async def _within_stall(awaitable: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(STALL_S):
            await awaitable
    except TimeoutError as error:
        raise ClientStalled from error


class Rates:
    """Counts requests of each caller in a bucket that holds a minute's worth and refills steadily."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, caller: str) -> float:
        """Count a request; return 0 when it may go on, else the seconds until one may."""
        if not self._per_minute:
            return 0.0
        now = self._clock()
        level, since = self._buckets.get(caller, (float(self._per_minute), now))
        level = min(self._per_minute, level + (now - since) * self._per_minute / 60)
        wait_s = 0.0 if level >= 1 else (1 - level) * 60 / self._per_minute
        self._buckets[caller] = (level - 1 if wait_s == 0 else level, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)
        return wait_s
