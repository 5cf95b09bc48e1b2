"""How streams become one."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    Chunks = asyncio.Queue[bytes | Exception | None]

#: How far streams may run ahead of their reader, so that he does not wait for a change of tasks at every chunk.
_AHEAD: Final = 16


async def merged(streams: Sequence[AsyncGenerator[bytes, None]]) -> AsyncGenerator[bytes, None]:
    """Yield the chunks of all streams as they come; the first error ends all."""
    chunks: Chunks = asyncio.Queue(_AHEAD)
    pumps = [asyncio.ensure_future(_pump(stream, chunks)) for stream in streams]
    left = len(pumps)
    try:
        while left:
            match await chunks.get():
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
