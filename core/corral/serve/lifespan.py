"""How the start and the end of the server reach every mounted app."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence
    from typing import Any

    from corral.api import ASGIApplication, Receive, Scope, Send

_log = logging.getLogger("corral.serve")

#: How long an app may take to start, or to stop.
_LIMIT_S = 30.0


async def run_lifespans(apps: Sequence[ASGIApplication], scope: Scope, receive: Receive, send: Send) -> None:
    """Start all apps, wait for the server's end, stop all apps. An app that knows no lifespan is left alone."""
    lives = [_Life(app) for app in apps]
    async with asyncio.TaskGroup() as group:
        for life in lives:
            group.create_task(life.run(scope))
        await receive()
        failures = [failure for life in lives if (failure := await life.tell("startup"))]
        if failures:
            await send({"type": "lifespan.startup.failed", "message": "; ".join(failures)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for life in lives:
            await life.tell("shutdown")
    await send({"type": "lifespan.shutdown.complete"})


class _Life:
    """The lifespan of one app."""

    def __init__(self, app: ASGIApplication) -> None:
        self._app = app
        self._orders: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._replies: asyncio.Queue[str] = asyncio.Queue()
        self._over = False

    async def run(self, scope: Scope) -> None:
        """Run the app's lifespan until it returns."""
        try:
            await self._app({**scope, "type": "lifespan"}, self._orders.get, self._note)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - apps without a lifespan may raise anything at the unknown scope
            _log.debug("an API has no lifespan: %s", error)
        finally:
            self._over = True
            self._replies.put_nowait("")

    async def tell(self, order: str) -> str:
        """Send an order and wait for the reply; return why it failed, empty when it did not."""
        if self._over:
            return ""
        self._orders.put_nowait({"type": f"lifespan.{order}"})
        async with asyncio.timeout(_LIMIT_S):
            return await self._replies.get()

    async def _note(self, message: MutableMapping[str, Any]) -> None:
        failed = message["type"].endswith(".failed")
        self._replies.put_nowait((message.get("message") or "an API did not start") if failed else "")
