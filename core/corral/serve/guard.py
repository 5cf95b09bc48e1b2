"""What stands between the network and every API: names, origins, keys, rates, sizes; and an id for each request."""

from __future__ import annotations

import math
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any

from corral.keys import Key
from corral.serve.access import Access, covers, presented_secret
from corral.serve.hosts import HostRule
from corral.serve.journal import Entry, Journal, Recorder
from corral.serve.limits import BodyTooLarge, BoundedReceive, ClientStalled, Rates, send_within_stall
from corral.serve.meter import Meter
from corral.serve.origins import OriginRule, headers_for, preflight_headers
from corral.serve.refusals import Refusal
from corral.serve.replies import send_empty, send_error

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from corral.api import Receive, Scope, Send
    from corral.keys import KeyFile
    from corral.serve.mount import Mount
    from corral.settings import Settings

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Visit:
    """What the guard needs to know of a request."""

    method: str
    path: str
    headers: dict[bytes, list[str]]
    server_ip: str
    client_ip: str

    @classmethod
    def of(cls, scope: Scope) -> Visit:
        """Read a request's scope."""
        headers: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value.decode("latin-1"))
        server, client = scope.get("server") or ("",), scope.get("client") or ("",)
        return cls(scope.get("method", "GET"), scope["path"], headers, str(server[0]), str(client[0]))

    def header(self, name: bytes) -> str:
        """Return a header that is there once; empty when it is missing or contradicts itself."""
        values = self.headers.get(name, [])
        return values[0] if len(values) == 1 else ""


class Guard:
    """The app that a server runs: refuses, or hands over to the mounted APIs."""

    def __init__(self, mount: Mount, settings: Settings, keys: KeyFile) -> None:
        self._mount = mount
        self._hosts = HostRule(settings.hosts)
        self._origins = OriginRule(settings.origins)
        self._access = Access(mount, keys)
        self._rates = Rates(settings.rate_limit)
        self._most_bytes = settings.max_body_bytes
        self._journal = Journal(settings.request_log) if settings.request_log else None
        self._open: set[BoundedReceive] = set()
        self.meter = Meter()
        self.is_draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request or pass it on."""
        if scope["type"] == "lifespan":
            await self._mount(scope, receive, send)
            return
        visit = Visit.of(scope)
        origin = visit.header(b"origin")
        is_known = bool(origin) and self._origins.allows(origin, visit.header(b"host"))
        answer = _Answer(send, _request_id(visit), origin if is_known else "")
        refusal = self._refusal(visit)
        if refusal is not None:
            self.meter.refused(visit.method, self._api_name(visit.path), answer.request_id, refusal.status)
            await (_close(send) if scope["type"] == "websocket" else answer.refuse(refusal))
        elif scope["type"] == "websocket":
            await self._mount(scope, receive, send)
        elif _is_preflight(visit):
            await send_empty(send, 204, preflight_headers(visit.header(b"origin")))
        else:
            await self._pass_on(visit, scope, receive, answer)

    def cut(self) -> None:
        """End every answer that is still going on."""
        for bounded in self._open:
            bounded.cut()

    async def _pass_on(self, visit: Visit, scope: Scope, receive: Receive, answer: _Answer) -> None:
        scope["corral.request_id"] = answer.request_id
        scope["corral.statistics"] = self.meter.values
        scope["corral.is_draining"] = self.is_draining
        recorder = Recorder(receive)
        try:
            with self.meter.request(visit.method, self._api_name(visit.path), answer):
                await self._answer(visit, scope, recorder if self._journal else receive, answer)
        finally:
            # A request that its client left is the one that somebody will want to repeat.
            if self._journal:
                await self._journal.write(_entry(visit, answer, recorder.size), recorder.body)

    async def _answer(self, visit: Visit, scope: Scope, receive: Receive, answer: _Answer) -> None:
        bounded = BoundedReceive(receive, self._body_limit(visit.path))
        self._open.add(bounded)
        try:
            await self._mount(scope, bounded, answer)
        except BodyTooLarge:
            await answer.refuse(self._too_large())
        except ClientStalled:
            await answer.refuse(Refusal(408, "the client stopped sending or reading"))
        finally:
            self._open.discard(bounded)

    def _refusal(self, visit: Visit) -> Refusal | None:
        """Return the first reason to refuse, from the cheapest check to the dearest."""
        host, origin = visit.header(b"host"), visit.header(b"origin")
        if not self._hosts.allows(host, visit.server_ip):
            return Refusal(403, "this server does not go by that name (name it in CORRAL_HOSTS if it should)")
        if b"origin" in visit.headers and not self._origins.allows(origin, host):
            return Refusal(403, "pages of this origin may not call (allow it in CORRAL_ORIGINS if they should)")
        if _is_preflight(visit):
            return None
        if self.is_draining:
            return Refusal(503, "the server is stopping", ((b"retry-after", b"5"), (b"connection", b"close")))
        return self._key_or_rate(visit) or self._announced_size(visit)

    def _key_or_rate(self, visit: Visit) -> Refusal | None:
        decision = self._access.decide(visit.path, presented_secret(visit.header))
        if isinstance(decision, Refusal):
            return decision
        if self._access.needed(visit.path) is None:
            # Whoever asks whether the server is there shall not be turned away for asking often.
            return None
        caller = decision.id if isinstance(decision, Key) else visit.client_ip
        wait_s = self._rates.wait_s(caller)
        if not wait_s:
            return None
        after = str(math.ceil(wait_s)).encode()
        return Refusal(429, f"too many requests; the next one is welcome in {math.ceil(wait_s)} s", ((b"retry-after", after),))

    def _announced_size(self, visit: Visit) -> Refusal | None:
        announced = visit.header(b"content-length")
        limit = self._body_limit(visit.path)
        is_too_large = limit is not None and announced.isdecimal() and int(announced[:20]) > limit
        return self._too_large() if is_too_large else None

    def _body_limit(self, path: str) -> int | None:
        api = self._mount.find(path)
        return None if api and covers(api.offer.upload_paths, path) else self._most_bytes

    def _too_large(self) -> Refusal:
        return Refusal(413, f"the request body is larger than {self._most_bytes} bytes (CORRAL_MAX_BODY)", ((b"connection", b"close"),))

    def _api_name(self, path: str) -> str:
        api = self._mount.find(path)
        return api.offer.name if api else ""


class _Answer:
    """A send that adds our headers, notes the status, and gives up on a client that does not read."""

    def __init__(self, send: Send, request_id: str, origin: str) -> None:
        self._send = send
        self._origin = origin
        self.request_id = request_id
        #: 0 until the answer has begun.
        self.status = 0
        self.first_byte_at = 0.0

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        """Send a message of an API's answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._headers()]
        elif not self.first_byte_at and message.get("body"):
            self.first_byte_at = perf_counter()
        await send_within_stall(self._send, message)

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with a refusal, unless an answer has begun."""
        if not self.status:
            await send_error(self, refusal.status, refusal.message, refusal.headers)

    def _headers(self) -> list[tuple[bytes, bytes]]:
        own = [(b"x-request-id", self.request_id.encode()), (b"x-content-type-options", b"nosniff")]
        return [*own, *(headers_for(self._origin) if self._origin else ())]


async def _close(send: Send) -> None:
    await send({"type": "websocket.close", "code": 1008})


def _entry(visit: Visit, answer: _Answer, size: int) -> Entry:
    return Entry(
        time=datetime.now(UTC).isoformat(timespec="milliseconds"),
        id=answer.request_id,
        method=visit.method,
        path=visit.path,
        status=answer.status or 499,
        content_type=visit.header(b"content-type"),
        size=size,
    )


def _is_preflight(visit: Visit) -> bool:
    return visit.method == "OPTIONS" and b"origin" in visit.headers and b"access-control-request-method" in visit.headers


def _request_id(visit: Visit) -> str:
    """Return the id that a client gave its request, when it is harmless, or a fresh one."""
    given = visit.header(b"x-request-id")
    return given if _ID.fullmatch(given) else f"req_{secrets.token_hex(12)}"
