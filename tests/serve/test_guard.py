"""What the guard lets through, refuses and adds: over ASGI, without sockets."""

from __future__ import annotations

import asyncio
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from corral.keys import KeyFile, Scope
from corral.serve.guard import Guard
from corral.serve.hosts import HostRule
from corral.serve.journal import read_journal
from corral.serve.limits import BoundedReceive, ClientStalled, Rates, send_within_stall
from corral.serve.mount import Mount, Mounted
from corral.serve.origins import OriginRule
from corral.spec import ApiOffer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from corral.api import Receive, Send
    from corral.settings import Settings

PROBE = ApiOffer(
    name="probe",
    paths=("/probe/", "/open"),
    open_paths=("/open",),
    infer_paths=("/probe/infer",),
    read_paths=("/probe/read/",),
    upload_paths=("/probe/upload",),
)


async def probe(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer with the size of the body, as an API of somebody else would."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


class Call:
    """One request to an ASGI app, and its answer."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    async def __call__(
        self, path: str = "/open", method: str = "GET", body: tuple[bytes, ...] = (b"",), scope_type: str = "http", **headers: str
    ) -> Call:
        given = {"host": "localhost:11434", **headers}
        scope = {
            "type": scope_type,
            "http_version": "1.1",
            "scheme": "http",
            "query_string": b"",
            "method": method,
            "path": path,
            "headers": [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in given.items() if value != "-"],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 11434),
        }
        messages = [{"type": "http.request", "body": part, "more_body": part is not body[-1]} for part in body]
        await self._guard(scope, self._receiving(messages), self._send)
        return self

    def _receiving(self, messages: list[dict[str, Any]]) -> Callable[[], Any]:
        async def receive() -> dict[str, Any]:
            if not messages:
                await asyncio.Event().wait()
            return messages.pop(0)

        return receive

    async def _send(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "http.response.start":
                self.status = message["status"]
                self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            case "http.response.body":
                self.body += message["body"]
            case "websocket.close":
                self.status = message["code"]

    @property
    def error(self) -> str:
        return msgspec.json.decode(self.body)["error"]


@pytest.fixture
def probe_mount() -> Mount:
    return Mount([Mounted(PROBE, probe)])


@pytest.fixture
def guard(probe_mount: Mount, settings: Settings, keys: KeyFile) -> Guard:
    return Guard(probe_mount, replace(settings, max_body_bytes=10), keys)


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("localhost", True),
        ("LOCALHOST:11434", True),
        ("127.0.0.1:11434", True),
        ("127.9.9.9", True),
        ("[::1]:11434", True),
        ("[::ffff:127.0.0.1]", True),
        ("192.168.1.5:11434", True),
        ("0.0.0.0:11434", True),
        ("host.docker.internal:11434", True),
        ("printer.local", True),
        ("my.localhost", True),
        ("llm.example.com", True),
        ("203.0.113.9", True),
        ("", False),
        (":11434", False),
        ("localhost.", False),
        ("localhost.evil", False),
        ("evil.com", False),
        (".local", False),
        ("8.8.8.8", False),
        ("[::ffff:8.8.8.8]", False),
        ("2130706433", False),
        ("0x7f000001", False),
        ("127.1", False),
        ("localhost:99999", False),
        ("localhost:x", False),
        ("localhost:1:2", False),
        ("[::1", False),
        ("::1", False),
        ("localhost@evil.com", False),
        ("localhost/evil", False),
        ("localhost\\evil", False),
        ("local host", False),
        ("lócalhost", False),
        ("localhost%00.evil", False),
    ],
)
def test_only_names_of_this_machine_are_answered(host: str, is_allowed: bool) -> None:
    """F95: a page that points its own name at this machine gets nothing."""
    assert HostRule(["llm.example.com"]).allows(host, server_ip="203.0.113.9") is is_allowed


@pytest.mark.parametrize("host", ["-", "", "evil.com"])
async def test_a_foreign_or_missing_host_is_refused_before_any_api(guard: Guard, host: str) -> None:
    call = await Call(guard)(host=host)

    assert call.status == 403


async def test_two_hosts_are_none(guard: Guard) -> None:
    scope_headers = [(b"host", b"localhost"), (b"host", b"evil.com")]
    call = Call(guard)

    await guard({"type": "http", "method": "GET", "path": "/open", "headers": scope_headers}, call._receiving([]), call._send)

    assert call.status == 403


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("http://localhost", True),
        ("http://localhost:3000", True),
        ("https://127.0.0.1:8443", True),
        ("http://[::1]:5173", True),
        ("app://obsidian.md", True),
        ("vscode-webview://abc", True),
        ("https://chat.example.com", True),
        ("http://llm.lan:11434", True),
        ("null", False),
        ("", False),
        ("http://evil.com", False),
        ("http://localhost.evil.com", False),
        ("http://localhost:3000.evil.com", False),
        ("http://evil.com/localhost", False),
        ("https://chat.example.com.evil.com", False),
        ("http://xlocalhost", False),
        ("http://[::1", False),
        ("chrome-extension://abc", False),
    ],
)
def test_only_pages_that_are_allowed_may_call(origin: str, is_allowed: bool) -> None:
    """F95: the origin is compared whole."""
    assert OriginRule(["https://*.example.com"]).allows(origin, host_header="llm.lan:11434") is is_allowed


async def test_an_allowed_page_is_told_so(guard: Guard) -> None:
    call = await Call(guard)(origin="http://localhost:3000")

    assert (call.status, call.headers["access-control-allow-origin"], call.headers["vary"]) == (200, "http://localhost:3000", "Origin")


async def test_a_preflight_names_the_headers_that_clients_send(guard: Guard) -> None:
    call = await Call(guard)(method="OPTIONS", origin="http://localhost:3000", access_control_request_method="POST")

    assert call.status == 204
    allowed = call.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in ("authorization", "x-api-key", "anthropic-version", "x-stainless-os"))


async def test_a_foreign_page_is_refused(guard: Guard) -> None:
    call = await Call(guard)(origin="http://evil.com", method="OPTIONS", access_control_request_method="POST")

    assert (call.status, "access-control-allow-origin" in call.headers) == (403, False)


@pytest.mark.parametrize(("path", "needed"), [("/probe/infer", Scope.INFER), ("/probe/read/x", Scope.READ), ("/probe/x", Scope.ADMIN)])
@pytest.mark.parametrize("has", list(Scope))
async def test_a_key_opens_what_its_scope_says(guard: Guard, keys: KeyFile, path: str, needed: Scope, has: Scope) -> None:
    """F96: what an API does not name needs the scope admin."""
    _, secret = keys.add("mine", [has])

    call = await Call(guard)(path, authorization=f"Bearer {secret}")

    assert call.status == (200 if has in (needed, Scope.ADMIN) else 403)


@pytest.mark.parametrize("header", [{"authorization": "Bearer {}"}, {"authorization": "bearer {}"}, {"x_api_key": "{}"}, {"api_key": "{}"}])
async def test_a_key_is_taken_from_any_header_that_clients_use(guard: Guard, keys: KeyFile, header: dict[str, str]) -> None:
    _, secret = keys.add("mine", [Scope.INFER])

    call = await Call(guard)("/probe/infer", **{name: value.format(secret) for name, value in header.items()})

    assert call.status == 200


@pytest.mark.parametrize("given", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic eDp5"}, {"x_api_key": ""}])
async def test_no_key_or_a_wrong_one_is_refused(guard: Guard, keys: KeyFile, given: dict[str, str]) -> None:
    keys.add("mine", [Scope.ADMIN])

    call = await Call(guard)("/probe/infer", **given)

    assert (call.status, call.headers["www-authenticate"]) == (401, "Bearer")
    assert (await Call(guard)("/open")).status == 200
    assert (await Call(guard)("/nobody/offers/this")).status == 401


@pytest.mark.parametrize("is_fresh", [False, True])
async def test_revoking_the_last_key_locks_a_server_and_does_not_open_it(
    probe_mount: Mount, settings: Settings, keys: KeyFile, is_fresh: bool
) -> None:
    early = Guard(probe_mount, settings, keys)
    _, secret = keys.add("mine", [Scope.ADMIN])
    guard = Guard(probe_mount, settings, keys) if is_fresh else early
    before = await Call(guard)("/probe/infer", authorization=f"Bearer {secret}")
    keys.revoke("mine")

    after = [await Call(guard)("/probe/infer"), await Call(guard)("/probe/infer", authorization=f"Bearer {secret}")]

    assert (before.status, [call.status for call in after]) == (200, [401, 401])


async def test_every_route_needs_a_key_unless_its_api_calls_it_open(mount: Mount, settings: Settings, keys: KeyFile) -> None:
    """F96: deny by default, over all routes of all first-party APIs and of one that is not ours."""
    _, reader = keys.add("reader", [Scope.READ])
    everything = Mount([*mount._apis, Mounted(PROBE, probe)])
    guard = Guard(everything, settings, keys)
    document = msgspec.json.decode((await Call(guard)("/openapi.json", authorization=f"Bearer {reader}")).body)
    routes = [(path, method.upper()) for path, operations in document["paths"].items() for method in operations]

    answered = {
        (path, method) for path, method in [*routes, ("/probe/x", "GET"), ("/v1/new", "POST")] if await _status(guard, path, method) != 401
    }

    assert len(routes) > 30
    assert answered == {("/", "GET"), ("/healthz", "GET"), ("/readyz", "GET")}


async def _status(guard: Guard, path: str, method: str) -> int:
    return (await Call(guard)(path, method)).status


async def test_a_websocket_needs_a_key_too(guard: Guard, keys: KeyFile) -> None:
    keys.add("mine", [Scope.ADMIN])

    call = await Call(guard)("/probe/infer", scope_type="websocket")

    assert call.status == 1008


async def test_a_body_that_says_it_is_too_large_is_refused_unread(guard: Guard) -> None:
    call = await Call(guard)("/probe/x", "POST", content_length="11")

    assert (call.status, "10 bytes" in call.error) == (413, True)


async def test_a_body_that_turns_out_too_large_is_refused(guard: Guard) -> None:
    """F97: chunks may lie about nothing, they are counted."""
    call = await Call(guard)("/probe/x", "POST", body=(b"12345", b"678901"))

    assert call.status == 413


async def test_uploads_may_have_any_size(guard: Guard) -> None:
    call = await Call(guard)("/probe/upload", "POST", body=(b"12345", b"678901"), content_length="11")

    assert (call.status, call.body) == (200, b"11")


async def test_every_answer_has_an_id_and_keeps_a_harmless_one(guard: Guard) -> None:
    fresh, kept, forged = [await Call(guard)(x_request_id=given) for given in ("-", "abc-1", "a\tb")]

    assert kept.headers["x-request-id"] == "abc-1"
    assert fresh.headers["x-request-id"].startswith("req_")
    assert forged.headers["x-request-id"].startswith("req_")


async def test_a_server_that_stops_takes_no_new_requests(guard: Guard) -> None:
    """F51: what runs may finish; what comes is sent away."""
    guard.is_draining = True

    call = await Call(guard)("/probe/x")

    assert (call.status, call.headers["retry-after"]) == (503, "5")


async def test_nobody_answers_on_a_path_that_nobody_offers(guard: Guard) -> None:
    call = await Call(guard)("/nothing")

    assert (call.status, call.body) == (404, b"404 page not found")


async def test_requests_are_counted_by_api_and_status(guard: Guard) -> None:
    await Call(guard)("/open")

    assert guard.meter.values()['corral_http_requests_total{api="probe",status="200"}'] == 1


async def test_what_reaches_no_api_is_counted_by_its_code_too(probe_mount: Mount, settings: Settings, keys: KeyFile) -> None:
    guard = Guard(probe_mount, replace(settings, max_body_bytes=10, rate_limit=1), keys)
    await Call(guard)("/probe/x", host="evil.com")
    await Call(guard)("/open", content_length="11")
    await Call(guard)("/probe/x", scope_type="websocket", origin="https://evil.com")
    await Call(guard)("/probe/x")
    await Call(guard)("/probe/x")
    keys.add("k", [Scope.INFER])
    await Call(guard)("/probe/x")
    guard.is_draining = True
    await Call(guard)("/nothing")

    counted = {name: count for name, count in guard.meter.values().items() if name.startswith("corral_http_requests_total")}
    assert counted == {
        'corral_http_requests_total{api="probe",status="403"}': 2,
        'corral_http_requests_total{api="probe",status="413"}': 1,
        'corral_http_requests_total{api="probe",status="200"}': 1,
        'corral_http_requests_total{api="probe",status="429"}': 1,
        'corral_http_requests_total{api="probe",status="401"}': 1,
        'corral_http_requests_total{api="",status="503"}': 1,
    }
    assert guard.meter.values()['corral_http_seconds_count{api="probe"}'] == 1


def test_a_caller_gets_a_minutes_worth_and_then_a_steady_rate() -> None:
    now = [0.0]
    rates = Rates(60, clock=lambda: now[0])

    burst = [rates.wait_s("a") for _ in range(61)]
    now[0] += 1.0

    assert burst == [0.0] * 60 + [1.0]
    assert (rates.wait_s("a"), rates.wait_s("a"), rates.wait_s("b")) == (0.0, 1.0, 0.0)


async def test_too_many_requests_are_told_when_to_come_back(probe_mount: Mount, settings: Settings, keys: KeyFile) -> None:
    guard = Guard(probe_mount, replace(settings, rate_limit=1), keys)

    first, second, health = await Call(guard)("/probe/x"), await Call(guard)("/probe/x"), await Call(guard)("/open")

    assert (first.status, second.status, second.headers["retry-after"], health.status) == (200, 429, "60", 200)


async def test_a_client_that_stops_sending_is_let_go(monkeypatch: pytest.MonkeyPatch, guard: Guard) -> None:
    """F97: a slow loris holds a connection for a while, not for ever."""
    monkeypatch.setattr("corral.serve.limits.STALL_S", 0.01)
    call = Call(guard)

    async def never() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    headers = [(b"host", b"localhost")]
    await guard({"type": "http", "method": "POST", "path": "/probe/x", "headers": headers}, never, call._send)

    assert call.status == 408


async def test_the_end_of_a_connection_may_take_as_long_as_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corral.serve.limits.STALL_S", 0.0)
    messages = [{"type": "http.disconnect"}]

    async def receive() -> dict[str, Any]:
        return messages.pop()

    bounded = BoundedReceive(receive, 10)
    bounded._is_complete = True

    assert await bounded() == {"type": "http.disconnect"}


async def test_the_request_log_is_for_its_owner_only(probe_mount: Mount, settings: Settings, keys: KeyFile) -> None:
    log = settings.home / "log" / "requests.jsonl"

    await Call(Guard(probe_mount, replace(settings, request_log=log), keys))(body=(b"a secret thought",))

    assert (stat.S_IMODE(log.stat().st_mode), read_journal(log)[0].body) == (0o600, "a secret thought")


async def test_a_request_log_that_can_not_be_written_breaks_no_answer(
    probe_mount: Mount, settings: Settings, keys: KeyFile, caplog: pytest.LogCaptureFixture
) -> None:
    call = await Call(Guard(probe_mount, replace(settings, request_log=settings.home), keys))(x_request_id="mine")

    assert (call.status, "request mine is not in the request log" in caplog.text) == (200, True)


async def test_a_request_that_its_client_left_is_in_the_request_log(settings: Settings, keys: KeyFile) -> None:
    begun = asyncio.Event()

    async def endless(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        begun.set()
        await asyncio.Event().wait()

    log = settings.home / "requests.jsonl"
    guard = Guard(Mount([Mounted(PROBE, endless)]), replace(settings, request_log=log), keys)
    asking = asyncio.create_task(Call(guard)(body=(b"a long story",)))
    await begun.wait()
    asking.cancel()
    await asyncio.wait([asking])

    assert [(entry.status, entry.body) for entry in read_journal(log)] == [(499, "a long story")]


async def test_a_client_that_stops_reading_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """F97: a send that has to wait is given up after a while, and whoever waits in it is told."""
    monkeypatch.setattr("corral.serve.limits.STALL_S", 0.01)
    ends = []

    async def send(message: MutableMapping[str, Any]) -> None:
        try:
            await asyncio.sleep(0)
            await asyncio.Event().wait()
        finally:
            ends.append(message["type"])

    with pytest.raises(ClientStalled):
        await send_within_stall(send, {"type": "http.response.body"})

    assert ends == ["http.response.body"]


async def test_a_send_that_waits_for_a_moment_goes_on() -> None:
    sent = []

    async def send(message: MutableMapping[str, Any]) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        sent.append(message)

    await send_within_stall(send, {"type": "http.response.body"})

    assert sent == [{"type": "http.response.body"}]


async def test_a_send_that_is_cancelled_while_it_waits_cleans_up_first() -> None:
    waits, ends = asyncio.Event(), []

    async def send(message: MutableMapping[str, Any]) -> None:
        try:
            waits.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ends.append(message)

    sending = asyncio.ensure_future(_awaited(send_within_stall(send, {})))
    await waits.wait()
    sending.cancel()
    await asyncio.wait([sending])

    assert (sending.cancelled(), ends) == (True, [{}])


async def _awaited(awaitable: Awaitable[None]) -> None:
    await awaitable
