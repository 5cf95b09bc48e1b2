"""What has come for one request and has not been taken yet."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """A queue without limits for one reader: what every token passes does no more than it must."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._arrival: asyncio.Future[None] | None = None

    def put(self, item: Item) -> None:
        """Add an item."""
        self._items.append(item)
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    async def take(self) -> Item:
        """Return the oldest item, when there is one."""
        while not self._items:
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        return self._items.popleft()
