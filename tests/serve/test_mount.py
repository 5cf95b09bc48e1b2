"""Which app gets a request, and how start and stop reach every app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from corral.serve.mount import Mount, Mounted
from corral.spec import ApiOffer
from corral.testing.serving import serving

if TYPE_CHECKING:
    from corral.api import Receive, Send
    from corral.keys import KeyFile
    from corral.settings import Settings


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


START = {"type": "http.response.start", "status": 200, "headers": []}


def failing(error: BaseException, *said: dict[str, Any]) -> Mount:
    """Return an API of a stranger that says something and then raises."""

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        for message in said:
            await send(message)
        raise error

    return Mount([Mounted(ApiOffer(name="shout", paths=("/",), open_paths=("/",)), app, "corral-shout 1.0")])


@pytest.mark.parametrize("error", [KeyError("secret"), SystemExit(3), ExceptionGroup("all", [ValueError("secret")])])
def test_an_app_that_raises_is_named_and_the_server_goes_on(
    error: BaseException, settings: Settings, keys: KeyFile, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(failing(error), settings, keys) as url:
        answers = [httpx2.get(url, headers={"x-request-id": "r1"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [500, 500]
    assert answers[0].json() == {"error": "the API 'shout' of corral-shout 1.0 failed; the server's log has the details"}
    assert answers[0].headers["x-request-id"] == "r1"
    assert [record.getMessage() for record in caplog.records] == ["request r1 broke the API 'shout' of corral-shout 1.0"] * 2
    assert all(record.exc_info and record.exc_info[1] is error for record in caplog.records)


def test_an_answer_that_breaks_in_its_middle_is_cut_and_does_not_look_complete(settings: Settings, keys: KeyFile) -> None:
    part = {"type": "http.response.body", "body": b"half", "more_body": True}

    with (
        serving(failing(KeyError("x"), START, part), settings, keys) as url,
        pytest.raises(httpx2.RemoteProtocolError, match="incomplete chunked read"),
    ):
        httpx2.get(url)


async def test_a_websocket_that_raises_ends_alone(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[object] = []

    await failing(KeyError("x"))({"type": "websocket", "path": "/"}, nothing, sent.append)  # type: ignore[arg-type]

    assert not sent
    assert "request - broke the API 'shout'" in caplog.text
