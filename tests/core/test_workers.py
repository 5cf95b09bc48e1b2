"""Prove that a child is started, talked to, watched and stopped, whatever it does."""

from __future__ import annotations

import asyncio
import errno
import math
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import psutil
import pytest

from corral.errors import LoadFailed, RunnerDied
from corral.workers import Deadlines, State, Worker, python_module, start_worker
from corral.workers.child import Channel
from corral.workers.frames import FrameSplitter
from corral.workers.loading import LoadClock
from corral.workers.working import WorkClock

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractAsyncContextManager

SCRIPT = Path(__file__).parents[1] / "fakes" / "scripted_child.py"
QUICK = Deadlines(start_s=20, stall_s=20, load_s=20, grace_s=0.2, kill_s=5, send_s=0.3)


class Say(msgspec.Struct, tag="say"):
    text: str
    times: int = 1


class Do(msgspec.Struct, tag="do"):
    what: str


class Said(msgspec.Struct, tag="said"):
    text: str


class Process(msgspec.Struct):
    pid: int


def start(deed: str, deadlines: Deadlines = QUICK, **environment: str | None) -> AbstractAsyncContextManager[Worker[Said]]:
    argv = (sys.executable, str(SCRIPT), deed)
    return start_worker(argv, name="child", reply_types=(Said,), deadlines=deadlines, environment=environment)


async def fails_to_load(deed: str, deadlines: Deadlines = QUICK) -> LoadFailed:
    async with start(deed, deadlines) as worker:
        with pytest.raises(LoadFailed) as caught:
            await worker.ready(object)
    return caught.value


async def replies(worker: Worker[Said]) -> AsyncGenerator[Said, None]:
    """Yield the replies as they come, until the child is gone."""
    heard: asyncio.Queue[Said | None] = asyncio.Queue()
    worker.hand_over(heard.put_nowait)
    end = asyncio.ensure_future(worker.wait_closed())
    end.add_done_callback(lambda _: heard.put_nowait(None))
    try:
        while (reply := await heard.get()) is not None:
            yield reply
    finally:
        end.cancel()


async def first_reply(worker: Worker[Said]) -> Said:
    async with aclosing(replies(worker)) as heard:
        return await anext(heard)


async def is_gone(pid: int, limit_s: float = 2.0) -> bool:
    """Wait for the end of a process that is no child of ours (a pidfd becomes readable then)."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(fd, ended.set)
    try:
        async with asyncio.timeout(limit_s):
            await ended.wait()
    except TimeoutError:
        return False
    finally:
        asyncio.get_running_loop().remove_reader(fd)
        os.close(fd)
    return True


async def test_a_child_becomes_ready_answers_and_leaves() -> None:
    async with start("echo") as worker:
        process = await worker.ready(Process)
        await worker.send(Say("hello"))

        assert await first_reply(worker) == Said("hello")
        assert worker.state is State.READY
        assert process.pid == worker.pid

    assert worker.state is State.GONE
    assert not psutil.pid_exists(process.pid)
    assert await worker.wait_closed() == ""


async def test_replies_keep_their_order_and_none_is_lost_when_the_reader_is_slow() -> None:
    async with start("echo") as worker:
        for number in range(20):
            await worker.send(Say(str(number), 1000))
        await worker.send(Do("die"))
        seen = []
        async for reply in replies(worker):
            seen.append(int(reply.text))
            await asyncio.sleep(0)

    assert seen == [number for number in range(20) for _ in range(1000)]


async def test_a_frame_larger_than_every_buffer_arrives_whole() -> None:
    """F43."""
    text = "é" * 3_000_000
    async with start("echo", Deadlines(send_s=20)) as worker:
        await worker.send(Say(text))

        assert (await first_reply(worker)).text == text


@pytest.mark.parametrize(
    ("deed", "words", "out_of_memory"),
    [
        pytest.param("sigsegv", "crashed (SIGSEGV) before it was ready", False, id="F17 segfault"),
        pytest.param("sigabrt", "aborted (SIGABRT)", False, id="abort"),
        pytest.param("sigkill", "SIGKILL, most likely because the system ran out of memory", True, id="killed"),
        pytest.param("exit_early", "exited with code 0 before it was ready", False, id="F30 exits 0"),
        pytest.param("out_of_memory", "cudaMalloc failed: out of memory", True, id="F31 out of memory"),
        pytest.param("fail", "the file is no model", False, id="its own words"),
        pytest.param("garbage", "something that is no answer", False, id="F19, F36 garbage"),
        pytest.param("huge_frame", "a frame of 4294967295 bytes", False, id="F19, F43 huge frame"),
        pytest.param("half_a_frame", "exited with code 3", False, id="F19, F46 partial"),
    ],
)
async def test_a_child_that_never_gets_ready_says_why(deed: str, words: str, out_of_memory: bool) -> None:
    failure = await fails_to_load(deed)

    assert words in str(failure)
    assert failure.out_of_memory is out_of_memory


async def test_who_was_killed_from_outside_has_no_last_words() -> None:
    failure = await fails_to_load("warn_and_be_killed")

    assert str(failure).endswith("before it was ready")


@pytest.mark.parametrize("argv", [("/nonexistent/binary",), ("/etc/hostname",), ("bad\0name",)])
async def test_a_command_that_can_not_run_is_named(argv: tuple[str, ...]) -> None:
    """F29."""
    with pytest.raises(LoadFailed, match="can't start child"):
        async with start_worker(argv, name="child", reply_types=(Said,)):
            pytest.fail("it started")


@pytest.mark.parametrize("call", ["socket.socketpair", "asyncio.base_events.BaseEventLoop.subprocess_exec"])
@pytest.mark.parametrize("code", [errno.EMFILE, errno.EAGAIN])
async def test_a_system_that_is_out_of_something_is_a_failed_load(monkeypatch: pytest.MonkeyPatch, call: str, code: int) -> None:
    """F54, F55: no descriptor or no process is left."""

    def fail(*args: object, **options: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(call, fail)
    with pytest.raises(LoadFailed, match=os.strerror(code)):
        async with start("echo"):
            pytest.fail("it started")


async def test_a_silent_start_runs_into_its_deadline() -> None:
    """F18, F32."""
    failure = await fails_to_load("wait_for_ever", Deadlines(start_s=0.2, grace_s=0.1))

    assert "timed out starting at 0%" in str(failure)


async def test_a_load_without_progress_runs_into_the_stall_deadline() -> None:
    deadlines = Deadlines(stall_s=0.3, grace_s=0.1)
    async with start("progress_for_ever", deadlines) as worker:
        with pytest.raises(LoadFailed, match="timed out loading at 0%"):
            await worker.ready(object)


async def test_progress_keeps_a_slow_load_alive_and_only_the_cap_ends_it() -> None:
    """F33: each step comes well within the stall deadline, all together take longer than it."""
    async with start("progress_for_ever", Deadlines(stall_s=5, load_s=1.0, grace_s=0.1)) as worker:
        loop = asyncio.get_running_loop()
        ready = asyncio.ensure_future(worker.ready(object))
        while not ready.done():
            worker.post(Say("next")) if worker.state is not State.GONE else None
            await asyncio.wait({ready}, timeout=0.05)
        with pytest.raises(LoadFailed, match="timed out loading"):
            await ready

    assert loop.time() - worker._clock.started_at >= 1.0
    assert worker.progress > 0


async def test_output_without_an_end_of_line_is_a_sign_of_life_until_the_cap() -> None:
    """F33."""
    failure = await fails_to_load("chatter", Deadlines(start_s=0.5, load_s=1.0, grace_s=0.1))

    assert re.search(r"timed out starting at 0% after [1-9]\d*\.\d s", str(failure))


async def test_an_error_the_child_recovers_from_does_not_fail_it() -> None:
    async with start("recover") as worker:
        await worker.ready(object)

        assert worker.output.last_error == ""


async def test_a_flood_of_output_neither_blocks_the_child_nor_fills_memory() -> None:
    """F49."""
    async with start("flood") as worker:
        await worker.ready(object)

        assert "line 199999 of a flood" in worker.output.text
        assert len(worker.output.text) <= 64 * 1024


class Clock:
    """The clock of the running loop, with time that can be let pass at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._time = loop.time
        self._ahead = 0.0
        monkeypatch.setattr(loop, "time", lambda: self._time() + self._ahead)

    def advance(self, seconds: float) -> None:
        self._ahead += seconds


async def one_step(worker: Worker[Said]) -> Said:
    await worker.send(Do("step"))
    return await first_reply(worker)


HANGS = Deadlines(work_s=600, grace_s=0.1)


@pytest.mark.parametrize("deed", ["wait_for_ever", "stop_self"])
async def test_a_child_that_hangs_in_the_middle_of_its_work_is_ended_with_the_way_out(monkeypatch: pytest.MonkeyPatch, deed: str) -> None:
    """F39, F41: it answers no longer, or is stopped as a whole."""
    async with start("echo", HANGS) as worker:
        await worker.ready(object)
        worker.give(1)
        await one_step(worker)
        await worker.send(Do(deed))
        Clock(monkeypatch).advance(601)

        assert [reply async for reply in replies(worker)] == []
        reason = await worker.wait_closed()

    assert reason == "child hangs: it got no further for 600 s and was ended (raise CORRAL_STALL_TIMEOUT if it was only slow)"
    # It was ended by us: no sign that memory ran out.
    assert not worker.death().out_of_memory


async def test_steps_keep_a_slow_child_alive_and_other_answers_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """F39, F42: whoever works slowly is left alone; a thread that still talks does not speak for the one that hangs."""
    async with start("echo", HANGS) as worker:
        await worker.ready(object)
        clock = Clock(monkeypatch)
        worker.give(1)
        for _ in range(5):
            clock.advance(500)
            assert await one_step(worker) == Said("one step more")
        clock.advance(500)
        await worker.send(Say("only talk"))
        assert await first_reply(worker) == Said("only talk")
        clock.advance(101)

        assert "hangs" in await worker.wait_closed()


async def test_a_pause_of_the_whole_machine_is_no_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """F56: the clock goes on while parent and child are stopped, as in a container that is paused."""
    async with start("echo", HANGS) as worker:
        await worker.ready(object)
        worker.give(1)
        Clock(monkeypatch).advance(3600)

        assert await one_step(worker) == Said("one step more")


async def test_a_child_that_nobody_waits_for_may_be_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    async with start("echo", HANGS) as worker:
        await worker.ready(object)
        clock = Clock(monkeypatch)
        worker.give(1)
        worker.settle(1)
        worker.settle(1)
        clock.advance(10_000)
        await worker.send(Say("still there"))

        assert await first_reply(worker) == Said("still there")


def test_the_oldest_work_that_is_left_counts() -> None:
    clock = WorkClock(600)
    for work in range(3):
        clock.give(work, now=100.0 * work)
    clock.settle(0)

    assert clock.due() == 700
    clock.sign(400)
    assert clock.due() == 1000
    clock.settle(1)
    clock.settle(2)
    assert clock.due() == math.inf


def test_signs_of_work_are_sent_a_few_times_a_second_at_most() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel: Channel[Say] = Channel(theirs, (Say,))
        for _ in range(1000):
            channel.beat()
        theirs.shutdown(socket.SHUT_WR)

        assert len(FrameSplitter().feed(ours.recv(100_000))) < 100


async def test_a_child_that_dies_at_work_ends_its_replies_and_refuses_the_next_request() -> None:
    """F34, F40."""
    async with start("echo") as worker:
        await worker.send(Do("sigkill"))
        assert [reply async for reply in replies(worker)] == []

        reasons = await asyncio.gather(*(worker.wait_closed() for _ in range(10)))
        with pytest.raises(RunnerDied, match="killed by SIGKILL") as caught:
            await worker.send(Say("anyone there?"))

    assert len(set(reasons)) == 1
    assert caught.value.out_of_memory


async def test_what_a_dying_child_still_said_is_heard() -> None:
    async with start("echo") as worker:
        await worker.send(Say("last words", 3))
        await worker.send(Do("die"))

        assert [reply.text async for reply in replies(worker)] == ["last words"] * 3
        assert await worker.wait_closed() == "child exited with code 7"


async def test_sigterm_refused_is_followed_by_sigkill() -> None:
    async with start("stay_when_told_to_go") as worker:
        await worker.ready(object)

    assert worker._process.exit_code == -signal.SIGKILL
    assert worker.reason == ""


async def test_a_stopped_process_is_killed_all_the_same() -> None:
    """F41."""
    async with start("stop_self") as worker:
        pid = (await worker.ready(Process)).pid

    assert not psutil.pid_exists(pid)


async def test_a_grandchild_does_not_outlive_the_group() -> None:
    async with start("echo") as worker:
        await worker.send(Do("grandchild"))
        grandchild = int((await first_reply(worker)).text)
        assert psutil.pid_exists(grandchild)

    assert await is_gone(grandchild)


async def test_a_child_that_exits_and_leaves_a_grandchild_is_gone_and_so_is_the_grandchild() -> None:
    """F38, F103."""
    async with start("leave_grandchild_and_exit") as worker:
        grandchild = int((await first_reply(worker)).text)
        with pytest.raises(LoadFailed, match="exited with code 0"):
            await worker.ready(object)

    assert await is_gone(grandchild)


async def test_a_child_that_never_reads_does_not_hold_the_sender_for_ever() -> None:
    async with start("never_read") as worker:
        await worker.ready(object)
        with pytest.raises(RunnerDied, match=r"has not read its requests for 0\.3 s"):
            await asyncio.gather(*(worker.send(Say("x" * 100_000)) for _ in range(20)))


async def test_cancelling_the_wait_for_a_load_stops_the_child() -> None:
    """F57: the client leaves while its model loads."""

    async def load() -> None:
        async with start("wait_for_ever") as worker:
            started.set_result(worker)
            await worker.ready(object)

    started: asyncio.Future[Worker[Said]] = asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(load())
    worker = await started
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert worker.state is State.GONE
    assert not psutil.pid_exists(worker.pid)


async def test_stopping_twice_at_once_is_one_stop() -> None:
    async with start("echo") as worker:
        await asyncio.gather(worker.stop(), worker.stop())

        assert worker.state is State.GONE


async def test_the_environment_is_the_parents_with_the_changes_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORRAL_TEST_KEPT", "kept")
    monkeypatch.setenv("CORRAL_TEST_CHANGED", "old")
    monkeypatch.setenv("CORRAL_TEST_DROPPED", "old")
    async with start("show_environment", CORRAL_TEST_CHANGED="new", CORRAL_TEST_DROPPED=None) as worker:
        seen = await worker.ready(dict[str, str])

    assert (seen["CORRAL_TEST_KEPT"], seen["CORRAL_TEST_CHANGED"]) == ("kept", "new")
    # The line to the parent is no business of grandchildren.
    assert not {"CORRAL_TEST_DROPPED", "CORRAL_CHANNEL_FD", "CORRAL_PARENT_PID"} & set(seen)


async def test_a_failure_stands_whatever_is_said_after_it() -> None:
    """F37."""
    async with start("fail_and_get_ready") as worker:
        assert await first_reply(worker) == Said("ready all the same")
        with pytest.raises(LoadFailed, match="the file is no model"):
            await worker.ready(object)


async def test_a_child_that_speaks_one_byte_at_a_time_is_understood() -> None:
    """F42."""
    async with start("dribble") as worker:
        assert await worker.ready(Process) == Process(7)


def test_progress_that_is_no_number_is_no_sign_of_life() -> None:
    """F47: NaN differs from itself, so it would keep a load alive for as long as the child repeats it."""
    clock = LoadClock(Deadlines(stall_s=10))
    clock.start(0)
    clock.advance(0.5, now=1)
    clock.advance(math.nan, now=9)

    assert (clock.progress, clock.due(State.LOADING)) == (0.5, 11)


async def test_information_of_the_wrong_shape_is_a_failed_load() -> None:
    """F37."""
    async with start("never_read") as worker:
        with pytest.raises(LoadFailed, match="said something strange"):
            await worker.ready(Process)


async def test_a_crash_writes_no_core_and_a_child_gains_no_privileges() -> None:
    """The memory of a model in a core file fills the disk."""
    async with start("echo") as worker:
        process = await worker.ready(Process)
        status, limits = [await asyncio.to_thread(Path(f"/proc/{process.pid}/{name}").read_text) for name in ("status", "limits")]

    assert "NoNewPrivs:\t1" in status
    assert re.search(r"Max core file size\s+0\s+0\s", limits)


def test_a_file_in_the_current_folder_does_not_shadow_the_childs_imports(tmp_path: Path) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit('shadowed')")
    argv = [part if part != "this" else "msgspec" for part in python_module("this")]

    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "shadowed" not in done.stderr


PARENT = """
import asyncio, sys
from corral.workers import start_worker
from scripted_child import Do, Said, Say

async def main():
    async with start_worker((sys.executable, sys.argv[1], sys.argv[2]), name="child", reply_types=(Said,)) as worker:
        print(worker.pid, flush=True)
        await worker.ready(object)
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("deed", ["echo", "stay_when_told_to_go"])
async def test_a_killed_parent_leaves_no_child_after_two_seconds(deed: str) -> None:
    """F50, with a child that reads its line and one that does not."""
    path = os.pathsep.join([str(SCRIPT.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(SCRIPT), deed, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )
    assert parent.stdout is not None
    async with asyncio.timeout(20):
        child = int(await parent.stdout.readline())
        assert await parent.stdout.readline() == b"ready\n"
    parent.kill()

    assert await is_gone(child)
    await parent.wait()


async def test_replies_that_came_before_anybody_took_them_come_first() -> None:
    async with start("echo") as worker:
        await worker.send(Say("early", 3))
        await worker.send(Do("die"))
        await worker.wait_closed()
        seen: list[Said] = []
        worker.hand_over(seen.append)

    assert [reply.text for reply in seen] == ["early"] * 3
