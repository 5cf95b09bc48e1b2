"""The parts that all dialects share: heartbeats, vectors, media, efforts, answers, metrics."""

from __future__ import annotations

import asyncio
import json
import math
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from corral.devices import Device, DeviceKind
from corral.errors import InvalidInput, NotFound
from corral.events import CallStatus, ContentDelta, Finish, ThinkingDelta, ToolCallEnd
from corral.testing.api import ScriptedEngine
from corral_api import heartbeat, merging
from corral_api.answers import Answer, Text, Thinking
from corral_api.anthropic.app import build_app as anthropic_app
from corral_api.efforts import think_of_effort
from corral_api.media import from_base64, from_data_url
from corral_api.metrics.exposition import device_figures, exposition
from corral_api.openai.responses import store as responses
from corral_api.openai.responses.schema import ResponseOut
from corral_api.streaming import open_answer, open_soon, stream
from corral_api.vectors import normalised, packed, shortened

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from quart import Quart

    from corral.events import Event
    from corral_api.problems import Problem


STREAM = {"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", b"text/event-stream")]}


FIRST, LAST = ({"type": "http.response.body", "body": data, "more_body": more} for data, more in ((b"a", True), (b"b", False)))


class Client:
    """Notes what it is sent, and when there was enough of it; it fails or waits at a beat when told so."""

    def __init__(self, count: int = 0, failure: Exception | None = None) -> None:
        self.seen: list[bytes] = []
        self.enough = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self._count = count
        self._failure = failure

    async def __call__(self, message: dict[str, Any]) -> None:
        self.seen.append(message.get("body", b""))
        if len(self.seen) == self._count:
            self.enough.set()
        if self._failure and self.seen[-1] == b".":
            raise self._failure
        await self.may_go_on.wait()


async def some_turns() -> None:
    """Let other tasks do what they are about to."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_silent_stream_beats_until_it_speaks_and_never_after_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "PING_S", 0.0)
    client = Client(count=5)

    async with asyncio.TaskGroup() as group:
        send = heartbeat.Beating(client, b".", group)
        await send(STREAM)
        await send(FIRST)
        await client.enough.wait()
        await send(LAST)
        await some_turns()

    assert (client.seen[:2], client.seen[-1], set(client.seen[2:-1])) == ([b"", b"a"], b"b", {b"."})


async def test_a_document_does_not_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "PING_S", 0.0)
    client = Client()

    async with asyncio.TaskGroup() as group:
        send = heartbeat.Beating(client, b".", group)
        await send({**STREAM, "headers": [(b"content-type", b"application/json")]})
        await some_turns()

    assert client.seen == [b""]


async def test_no_beat_overtakes_what_a_slow_client_still_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "PING_S", 0.0)
    client = Client(count=1)

    async with asyncio.TaskGroup() as group:
        send = heartbeat.Beating(client, b".", group)
        client.may_go_on.clear()
        sending = group.create_task(send(STREAM))
        await client.enough.wait()
        await some_turns()
        seen = list(client.seen)
        client.may_go_on.set()
        await sending
        send.stop()

    assert seen == [b""]


class Silent(heartbeat.ASGIHTTPConnection):
    """A connection whose app begins a stream and then says nothing."""

    ended: ClassVar[list[bool]] = []

    async def handle_request(self, request: Any, send: Any) -> None:
        try:
            await send(STREAM)
            await asyncio.Event().wait()
        finally:
            self.ended.append(True)


class SilentBeating(heartbeat.BeatingConnection, Silent):
    pass


def silent_connection(monkeypatch: pytest.MonkeyPatch) -> SilentBeating:
    monkeypatch.setattr(heartbeat, "PING_S", 0.0)
    monkeypatch.setattr(Silent, "ended", [])
    return SilentBeating(cast("Quart", SimpleNamespace(config={heartbeat.HEARTBEAT: b"."})), cast("Any", {}))


async def test_a_client_that_takes_no_beat_ends_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectionError, match="gone"):
        await silent_connection(monkeypatch).handle_request(cast("Any", None), Client(failure=ConnectionError("gone")))

    assert Silent.ended == [True]


async def test_a_request_that_is_cancelled_beats_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(count=3)
    handling = asyncio.ensure_future(silent_connection(monkeypatch).handle_request(cast("Any", None), client))
    await client.enough.wait()

    handling.cancel()
    await asyncio.wait([handling])
    seen = len(client.seen)
    await some_turns()

    assert (handling.cancelled(), Silent.ended, len(client.seen)) == (True, [True], seen)


async def test_anthropics_streams_beat_in_their_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "PING_S", 0.001)
    engine = ScriptedEngine([asyncio.Event()])
    asked = {"model": "test", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], "stream": True}
    data = b""

    async with anthropic_app(engine).test_client().request("/v1/messages", method="POST") as connection:
        await connection.send(json.dumps(asked).encode())
        await connection.send_complete()
        # One comes with the start of the message.
        while data.count(b"event: ping\n") < 3:
            data += await connection.receive()
        await connection.disconnect()

    assert data.startswith(b"event: message_start")


async def test_leaving_streams_that_wait_closes_what_they_wait_for() -> None:
    begun, closed = asyncio.Semaphore(0), []

    async def chunks() -> AsyncGenerator[bytes, None]:
        begun.release()
        try:
            await asyncio.Event().wait()
            yield b""
        finally:
            closed.append(True)

    both = merging.merged([chunks(), chunks()])
    reading = asyncio.ensure_future(anext(both))
    await begun.acquire()
    await begun.acquire()
    reading.cancel()
    await asyncio.wait([reading])
    await both.aclose()

    assert closed == [True, True]


async def test_an_error_of_a_stream_is_the_end_of_all() -> None:
    async def chunks() -> AsyncGenerator[bytes, None]:
        yield b"a"
        raise InvalidInput("no")

    all_chunks = merging.merged([chunks()])
    assert await anext(all_chunks) == b"a"
    with pytest.raises(InvalidInput):
        await anext(all_chunks)


async def test_an_answer_that_is_left_before_its_first_event_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    async def answer() -> AsyncGenerator[Event, None]:
        try:
            await asyncio.Event().wait()
            yield ContentDelta("a")
        finally:
            closed.append(True)

    monkeypatch.setattr(heartbeat, "PING_S", 0.001)
    chunks = stream(await open_soon(answer()), Bare())
    assert await anext(chunks) == b"start "
    await chunks.aclose()

    assert closed == [True]


class Bare:
    """Writes the text of an answer and nothing else."""

    def start(self) -> bytes:
        return b"start "

    def event(self, event: Event) -> bytes:
        return event.text.encode() if isinstance(event, ContentDelta) else b""

    def problem(self, problem: Problem) -> bytes:
        return problem.message.encode()


@pytest.mark.parametrize("chunks", [1, 2])
async def test_a_client_that_leaves_ends_the_answer_however_early(chunks: int) -> None:
    closed = []

    async def answer() -> AsyncGenerator[Event, None]:
        try:
            yield ContentDelta("a")
            yield ContentDelta("b")
        finally:
            closed.append(True)

    events = answer()
    stream_of_bytes = stream(await open_answer(events), Bare())
    for _ in range(chunks):
        await anext(stream_of_bytes)
    await stream_of_bytes.aclose()

    assert closed == [True]


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=8))
def test_vectors_come_out_with_length_one_or_zero(vector: list[float]) -> None:
    assert math.hypot(*normalised(vector)) == pytest.approx(1) or not any(vector)


@pytest.mark.parametrize("vector", [[math.nan], [math.inf, 1.0]])
def test_vectors_that_are_no_numbers_are_refused(vector: list[float]) -> None:
    with pytest.raises(InvalidInput, match="NaN or Inf"):
        normalised(vector)


@pytest.mark.parametrize(("dimensions", "length"), [(0, 4), (2, 2), (9, 4), (-1, 4)])
def test_dimensions_cut_and_normalise_again(dimensions: int, length: int) -> None:
    cut = shortened([3.0, 4.0, 5.0, 6.0], dimensions)

    assert len(cut) == length
    assert sum(x * x for x in cut) == pytest.approx(1)


def test_packed_vectors_are_little_endian_floats() -> None:
    assert packed([1.0, -2.0]) == "AACAPwAAAMA="


@pytest.mark.parametrize("url", ["data:image/png;base64,AAAA", "data:;base64,AAAA", "DATA:IMAGE/JPEG;BASE64,AAAA"])
def test_images_come_as_data_urls(url: str) -> None:
    assert from_data_url(url) == b"\0\0\0"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://example.com/cat.png", "image URLs are not currently supported"),
        ("data:text/html;base64,AAAA", "invalid image input"),
        ("data:image/png;base64,A", "not standard base64"),
        ("file:///etc/passwd", "invalid image input"),
        ("", "invalid image input"),
    ],
)
def test_nothing_else_is_fetched_or_read(url: str, text: str) -> None:
    with pytest.raises(InvalidInput, match=text):
        from_data_url(url)


def test_base64_is_taken_strictly() -> None:
    with pytest.raises(InvalidInput):
        from_base64("AA AA")


def test_an_unknown_effort_is_told_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match='"minimal", "low", "medium"'):
        think_of_effort("lots")


def test_an_answer_keeps_its_blocks_in_order_and_joins_neighbours() -> None:
    answer = Answer()
    call = ToolCallEnd(0, "f", {})

    for event in (ThinkingDelta("a"), ThinkingDelta("b"), ContentDelta("c"), call, ContentDelta("d"), Finish("stop")):
        answer.add(event)

    assert answer.blocks == [Thinking("ab"), Text("c"), call, Text("d")]
    assert (answer.text, answer.thinking, answer.calls) == ("cd", "ab", [call])


@pytest.mark.parametrize("status", list(CallStatus))
def test_only_a_call_that_can_be_executed_is_one(status: CallStatus) -> None:
    answer = Answer()

    answer.add(ToolCallEnd(0, "f", {}, status, raw="<call>"))

    is_broken = status in (CallStatus.MALFORMED, CallStatus.TRUNCATED)
    assert (len(answer.calls), answer.text) == ((0, "<call>") if is_broken else (1, ""))
    assert [notice.code for notice in answer.notices] == ([] if status is CallStatus.OK else [f"tool_call_{status.value}"])


@given(st.text(max_size=20))
def test_labels_survive_any_name(name: str) -> None:
    device = Device(backend="CUDA", id="0", name=name, kind=DeviceKind.GPU, total_bytes=2, free_bytes=None)

    families = list(text_string_to_metric_families(exposition(device_figures([device]))))

    assert [family.samples[0].labels["device"] for family in families] == [name]


def test_the_tools_of_stored_responses_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "_MOST_BYTES", 6_000)
    store = responses.ResponseStore()
    for name in ("first", "second", "third"):
        store.add(responses.Stored(_response(name, tool="x" * 2_000), (), ()))

    with pytest.raises(NotFound):
        store.get("first")
    store.remove("second")
    store.add(responses.Stored(_response("fourth", tool="x" * 2_000), (), ()))
    assert [store.get(name).response.id for name in ("third", "fourth")] == ["third", "fourth"]


def _response(name: str, tool: str) -> ResponseOut:
    known = {"id": name, "tools": [{"name": tool}], "output": [], "metadata": {}}
    return ResponseOut(**{**dict.fromkeys(ResponseOut.__struct_fields__), **known})  # type: ignore[arg-type]
