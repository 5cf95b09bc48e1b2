"""Give the requests of a model turns at running its plugins in a thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


class Turns:
    """Runs foreign code in threads, for one request of a model at a time.

    A renderer is anybody's code, and a template may run until its limit: with one thread per model, one that hangs can't take
    all the threads that the other models share.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def run(self, model: str, work: Callable[[], Result]) -> Result:
        """Return what the work returns, when the requests of the model before it had their turn."""
        async with self._locks.setdefault(model, asyncio.Lock()):
            return await asyncio.to_thread(work)
