"""Which API answers a request: the one that offers the longest matching path."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.serve.lifespan import run_lifespans
from corral.serve.limits import BodyTooLarge, ClientStalled
from corral.serve.replies import send_error, send_text

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence
    from typing import Any

    from corral.api import ASGIApplication, Receive, Scope, Send
    from corral.spec import ApiOffer

_log = logging.getLogger("corral.serve")


@dataclass(frozen=True, slots=True)
class Mounted:
    """An API, the app that answers on its paths, and the distribution and version that both are from."""

    offer: ApiOffer
    app: ASGIApplication
    provider: str = ""

    @property
    def title(self) -> str:
        """Return how messages name the API."""
        return f"API '{self.offer.name}'" + (f" of {self.provider}" if self.provider else "")


class Mount:
    """An ASGI app made of the apps of all APIs. A path of an offer that ends in "/" stands for everything below it."""

    def __init__(self, apis: Sequence[Mounted]) -> None:
        self._apis = tuple(apis)
        self._exact = {path: api for api in self._apis for path in api.offer.paths if not path.endswith("/")}
        below = [(path, api) for api in self._apis for path in api.offer.paths if path.endswith("/")]
        self._below = sorted(below, key=lambda pair: -len(pair[0]))

    @property
    def offers(self) -> tuple[ApiOffer, ...]:
        """Return what is mounted."""
        return tuple(api.offer for api in self._apis)

    def find(self, path: str) -> Mounted | None:
        """Return the API that answers on a path; None when nobody does."""
        exact = self._exact.get(path)
        if exact is not None:
            return exact
        return next((api for prefix, api in self._below if path.startswith(prefix)), None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to its API."""
        if scope["type"] == "lifespan":
            await run_lifespans([api.app for api in self._apis], scope, receive, send)
            return
        api = self.find(scope["path"])
        if api is not None:
            scope["corral.offers"] = self.offers
            await _answer(api, scope, receive, send)
        elif scope["type"] == "http":
            await send_text(send, 404, "404 page not found")
        else:
            await send({"type": "websocket.close", "code": 1000})


async def _answer(api: Mounted, scope: Scope, receive: Receive, send: Send) -> None:
    """Let an API answer. What it raises is logged with its name, and ends this answer only."""
    has_begun = False

    async def noted(message: MutableMapping[str, Any]) -> None:
        nonlocal has_begun
        has_begun = True
        await send(message)

    try:
        await api.app(scope, receive, noted)
    except (BodyTooLarge, ClientStalled):
        raise
    except (Exception, SystemExit):  # noqa: BLE001 - anybody's code, and it is logged with its name
        _log.exception("request %s broke the %s", scope.get("corral.request_id", "-"), api.title)
        # An answer that has begun can't become an error: the server cuts a connection whose answer was left incomplete.
        if not has_begun and scope["type"] == "http":
            await send_error(send, 500, f"the {api.title} failed; the server's log has the details")
