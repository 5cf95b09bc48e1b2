"""Ask the runners that are alive how much memory their devices have; they know it best, and for nothing."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from corral.discovery.visibility import names_in_child
from corral.errors import RunnerError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from corral.devices import Placement
    from corral.runners import Runner

_log = logging.getLogger(__name__)


class LiveRunners:
    """The runners that hold something on a device other than the host."""

    def __init__(self) -> None:
        self._runners: dict[int, tuple[Runner, Placement]] = {}

    @asynccontextmanager
    async def keep(self, placement: Placement, opening: AbstractAsyncContextManager[Runner]) -> AsyncIterator[Runner]:
        """Open a runner, and know it as long as it is open."""
        async with opening as runner:
            if placement.shares:
                self._runners[id(runner)] = (runner, placement)
            try:
                yield runner
            finally:
                self._runners.pop(id(runner), None)

    async def free_bytes(self) -> Mapping[tuple[str, str], int]:
        """Return the free bytes of all devices in use, by key; a runner that does not answer is left out."""
        answers = await asyncio.gather(*(_ask(runner, placement) for runner, placement in self._runners.values()))
        return {key: free for answer in answers for key, free in answer.items()}


async def _ask(runner: Runner, placement: Placement) -> Mapping[tuple[str, str], int]:
    devices = [share.device for share in placement.shares]
    try:
        free = await runner.free_memory()
    except RunnerError:
        return {}
    except Exception:  # noqa: BLE001 - a runner is a plugin's code
        # One that can't tell must not keep every other model from being placed.
        _log.exception("a runner could not tell its free memory")
        return {}
    return {device.key: free[name] for device, name in zip(devices, names_in_child(devices), strict=True) if name in free}
