"""Which app gets a request, and how start and stop reach every app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from corral.serve.mount import Mount, Mounted
from corral.spec import ApiOffer

if TYPE_CHECKING:
    from corral.api import Receive, Send


async def nothing(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer nothing."""


def mounted(name: str, *paths: str) -> Mounted:
    return Mounted(ApiOffer(name=name, paths=paths), nothing)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "root"),
        ("/anything", "root"),
        ("/v1/models", "v1"),
        ("/v1/", "v1"),
        ("/v1", "root"),
        ("/v1/messages", "messages"),
        ("/v1/messages/count", "messages"),
        ("/v1/messagesx", "v1"),
        ("/metrics", "metrics"),
        ("/metrics/x", "root"),
    ],
)
def test_the_longest_matching_path_wins(path: str, name: str) -> None:
    mount = Mount(
        [mounted("root", "/"), mounted("v1", "/v1/"), mounted("messages", "/v1/messages", "/v1/messages/"), mounted("metrics", "/metrics")]
    )

    found = mount.find(path)

    assert found is not None
    assert found.offer.name == name


def test_nobody_is_found_for_a_path_that_nobody_offers() -> None:
    assert Mount([mounted("v1", "/v1/")]).find("/api") is None


class Living:
    """An app with a lifespan, which may fail to start."""

    def __init__(self, failure: str = "") -> None:
        self._failure = failure
        self.told: list[str] = []

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        for order in ("startup", "shutdown"):
            self.told.append((await receive())["type"])
            if self._failure:
                await send({"type": "lifespan.startup.failed", "message": self._failure})
                return
            await send({"type": f"lifespan.{order}.complete"})


async def lifespan(*apps: object) -> list[dict[str, Any]]:
    mount = Mount([Mounted(ApiOffer(name=str(index), paths=(f"/{index}",)), app) for index, app in enumerate(apps)])
    orders = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return orders.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await mount({"type": "lifespan"}, receive, send)
    return sent


async def test_start_and_stop_reach_apps_with_a_lifespan_and_spare_the_others() -> None:
    async def without(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        raise KeyError(scope["type"])

    living = Living()

    sent = await lifespan(without, living, nothing)

    assert living.told == ["lifespan.startup", "lifespan.shutdown"]
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_an_app_that_can_not_start_stops_the_server_with_its_reason() -> None:
    sent = await lifespan(Living("no database"))

    assert sent == [{"type": "lifespan.startup.failed", "message": "no database"}]
