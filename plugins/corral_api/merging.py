"""How streams become one, which shows that it is alive, so that nothing between server and client cuts it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from corral_api.streaming import Opened, open_answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from corral.events import Event

    Chunks = asyncio.Queue[bytes | Exception | None]

#: Seconds of silence after which a stream gives a sign of life.
PING_S = 10.0
#: How far streams may run ahead of their reader, so that he does not wait for a change of tasks at every chunk.
_AHEAD: Final = 16


async def open_soon(events: AsyncGenerator[Event, None]) -> Opened:
    """Open an answer as `open_answer` does, but without a long silence: an error that comes later is part of the stream."""
    opening = asyncio.ensure_future(open_answer(events))
    late = Opened((), None, events, opening)
    try:
        done, _ = await asyncio.wait({opening}, timeout=PING_S)
    except asyncio.CancelledError:
        await late.aclose()
        raise
    return opening.result() if done else late


async def merged(streams: Sequence[AsyncGenerator[bytes, None]], beat: bytes) -> AsyncGenerator[bytes, None]:
    """Yield the chunks of all streams as they come, and a beat whenever none came for a while; the first error ends all."""
    chunks: Chunks = asyncio.Queue(_AHEAD)
    pumps = [asyncio.ensure_future(_pump(stream, chunks)) for stream in streams]
    left = len(pumps)
    try:
        while left:
            match await _next(chunks, beat):
                case None:
                    left -= 1
                case bytes() as data:
                    yield data
                case error:
                    raise error
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.wait(pumps)


async def _pump(stream: AsyncGenerator[bytes, None], chunks: Chunks) -> None:
    """Put everything that a stream yields on the queue, then None, or its error."""
    end: Exception | None = None
    try:
        async with aclosing(stream):
            async for data in stream:
                await chunks.put(data)
    except Exception as error:  # noqa: BLE001 - raised again where the chunks are taken
        end = error
    await chunks.put(end)


async def _next(chunks: Chunks, beat: bytes) -> bytes | Exception | None:
    if not chunks.empty():
        return chunks.get_nowait()
    try:
        async with asyncio.timeout(PING_S):
            return await chunks.get()
    except TimeoutError:
        return beat
