"""The parts that all dialects share: heartbeats, vectors, media, efforts, answers, metrics."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from corral.devices import Device, DeviceKind
from corral.errors import InvalidInput, NotFound
from corral.events import CallStatus, ContentDelta, Finish, ThinkingDelta, ToolCallEnd
from corral_api import heartbeat, merging
from corral_api.answers import Answer, Text, Thinking
from corral_api.efforts import think_of_effort
from corral_api.media import from_base64, from_data_url
from corral_api.metrics.exposition import device_figures, exposition
from corral_api.openai.responses import store as responses
from corral_api.openai.responses.schema import ResponseOut
from corral_api.streaming import open_answer, open_soon, stream
from corral_api.vectors import normalised, packed, shortened

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from corral.events import Event
    from corral_api.problems import Problem


STREAM = {"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", b"text/event-stream")]}


class Silence:
    """A client that notes what it is sent, and when there was enough of it."""

    def __init__(self, count: int) -> None:
        self.seen: list[bytes] = []
        self.enough = asyncio.Event()
        self._count = count

    async def __call__(self, message: dict[str, Any]) -> None:
        self.seen.append(message.get("body", b""))
        if len(self.seen) == self._count:
            self.enough.set()


async def test_a_silent_stream_beats_until_it_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "PING_S", 0.001)
    client = Silence(count=5)
    send = heartbeat.Beating(client, b".")

    await send(STREAM)
    await send({"type": "http.response.body", "body": b"a", "more_body": True})
    await client.enough.wait()
    await send({"type": "http.response.body", "body": b"b"})
    await asyncio.sleep(0)

    assert client.seen[:5] == [b"", b"a", b".", b".", b"."]
    assert (client.seen[-1], set(client.seen[5:-1]) <= {b"."}) == (b"b", True)


@pytest.mark.parametrize("message", [STREAM, {**STREAM, "headers": [(b"content-type", b"application/json")]}])
async def test_only_event_streams_beat_and_only_as_long_as_they_last(monkeypatch: pytest.MonkeyPatch, message: dict[str, Any]) -> None:
    monkeypatch.setattr(heartbeat, "PING_S", 0.0)
    client = Silence(count=1)
    send = heartbeat.Beating(client, b".")

    before = asyncio.all_tasks()
    await send(message)
    beating = asyncio.all_tasks() - before
    await send.stop()

    assert (len(beating), client.seen) == (message is STREAM, [b""])
    assert all(task.done() for task in beating)


async def test_a_beat_that_can_not_be_sent_is_the_end_of_the_beats_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "PING_S", 0.0)

    async def send(message: dict[str, Any]) -> None:
        if message.get("body") == b".":
            failed.set()
            raise RuntimeError("gone")

    failed = asyncio.Event()
    beating = heartbeat.Beating(send, b".")
    await beating(STREAM)
    await failed.wait()
    await beating({"type": "http.response.body", "body": b"b"})

    assert failed.is_set()


async def test_no_beat_comes_between_a_client_that_reads_slowly_and_what_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "PING_S", 0.0)
    seen: list[bytes] = []
    reading, slow = asyncio.Event(), asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        seen.append(message.get("body", b""))
        if message.get("body") == b"slow":
            reading.set()
            await slow.wait()

    beating = heartbeat.Beating(send, b".")
    await beating(STREAM)
    sending = asyncio.ensure_future(beating({"type": "http.response.body", "body": b"slow", "more_body": True}))
    await reading.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    waited = seen[-1]
    slow.set()
    await sending
    await beating.stop()

    assert waited == b"slow"


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
