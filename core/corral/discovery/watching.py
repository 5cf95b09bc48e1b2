"""Doubt the devices that a runner failed on."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from corral.errors import LoadFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from corral.devices import Placement
    from corral.runners import Runner

#: Seconds for a runner that has been left to say how it ended.
_GOODBYE_S = 1.0


class Doubtful(Protocol):
    """Something that can be told to look again."""

    def distrust(self) -> None:
        """Look again before the next answer."""


@asynccontextmanager
async def watch(devices: Doubtful, placement: Placement, opening: AbstractAsyncContextManager[Runner]) -> AsyncIterator[Runner]:
    """Open a runner; when it can't load or dies on a device other than the host, have the devices probed again.

    Running out of memory says nothing about a device.
    """
    try:
        async with opening as runner:
            yield runner
        if placement.shares and await _has_died(runner):
            devices.distrust()
    except LoadFailed as error:
        if placement.shares and not error.out_of_memory:
            devices.distrust()
        raise


async def _has_died(runner: Runner) -> bool:
    try:
        async with asyncio.timeout(_GOODBYE_S):
            return bool(await runner.wait_closed())
    except TimeoutError:
        return False
