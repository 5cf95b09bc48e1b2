"""How a silent stream shows that it is alive, so that nothing between server and client cuts it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


async def with_heartbeat(chunks: AsyncGenerator[bytes, None], beat: bytes, every_s: float) -> AsyncGenerator[bytes, None]:
    """Yield chunks, and a beat whenever none came for so many seconds."""
    async with aclosing(chunks):
        while True:
            step = asyncio.ensure_future(anext(chunks, None))
            try:
                while not (await asyncio.wait({step}, timeout=every_s))[0]:
                    yield beat
            finally:
                # A generator can be closed only when nobody waits for its next item.
                await _end(step)
            data = step.result()
            if data is None:
                return
            yield data


async def _end(step: asyncio.Future[bytes | None]) -> None:
    if not step.done():
        step.cancel()
        await asyncio.wait({step})
