"""What a child has said and nobody has read yet, and how much of it there may be."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from corral.workers.line import Line

Item = TypeVar("Item")

#: Items that may wait before the child is held up, and when it may go on.
_HIGH = 4096
_LOW = 512


class Inbox(Generic[Item]):
    """Items in order for one reader; a full inbox stops reading from the line until the reader has caught up."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._items: deque[Item] = deque()
        self._arrival = asyncio.Event()
        self._is_held_up = False
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        """Add an item."""
        self._items.append(item)
        self._arrival.set()
        if len(self._items) >= _HIGH and not self._is_held_up:
            self._is_held_up = True
            self._line.pause()

    def close(self) -> None:
        """Let the reader end after what is there."""
        self._is_closed = True
        self._arrival.set()

    def waiting(self) -> Iterator[Item]:
        """Yield what nobody has read yet, and let the child go on."""
        while self._items:
            yield self._items.popleft()
        self._let_go_on()

    async def items(self) -> AsyncGenerator[Item, None]:
        """Yield items as they come, until the inbox is closed and empty."""
        while True:
            for item in self.waiting():
                yield item
            if self._is_closed:
                return
            self._arrival.clear()
            await self._arrival.wait()

    def _let_go_on(self) -> None:
        if self._is_held_up and len(self._items) <= _LOW:
            self._is_held_up = False
            self._line.resume()
