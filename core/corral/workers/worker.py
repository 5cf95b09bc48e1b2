"""The life of one child process: started, loading, ready, stopped, gone; and the talk with it."""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import socket
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from corral.errors import LoadFailed, RunnerDied
from corral.workers.command import child_environment
from corral.workers.frames import Failure, Progress, Ready, Working, decoder, encode
from corral.workers.leaving import describe_end, describe_slow_load, describe_stall, was_killed
from corral.workers.line import Line
from corral.workers.loading import LoadClock
from corral.workers.output import OutputLog
from corral.workers.process import Process
from corral.workers.state import State
from corral.workers.working import WorkClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from corral.workers.command import Deadlines

_log = logging.getLogger(__name__)

Reply = TypeVar("Reply")
Info = TypeVar("Info")

#: Seconds for the last output and replies of a child that has ended.
_LAST_WORDS_S = 1.0
#: Seconds past a deadline that only a process which did not run at all misses it by.
_ASLEEP_S = 30.0


class Worker(Generic[Reply]):
    """A child process to talk to. One listener takes the replies; anyone may send, ask for the state, or wait for the end."""

    def __init__(self, name: str, *, reply_types: Sequence[type[Reply]], deadlines: Deadlines) -> None:
        self.name = name
        self.state = State.STARTING
        self.output = OutputLog()
        self._deadlines = deadlines
        types: tuple[type[Progress | Ready | Working | Failure | Reply], ...] = (Progress, Ready, Working, Failure, *reply_types)
        self._decoder = decoder(types)
        self._process = Process(self._heard_output, self._exited, self._part_ended)
        self._line = Line(self._heard, self._heard_nonsense, self._part_ended)
        #: Replies that came before anybody took them.
        self._early: list[Reply] = []
        self._take: Callable[[Reply], None] = self._early.append
        self._settled = asyncio.Event()
        self._closed = asyncio.Event()
        self._info: object = None
        self._failure: LoadFailed | None = None
        self._reason = ""
        self._is_condemned = False
        self._parts_left = 3
        self._timer: asyncio.TimerHandle | None = None
        self._end_timer: asyncio.TimerHandle | None = None
        self._clock = LoadClock(deadlines)
        self._work = WorkClock(deadlines.work_s)

    @property
    def pid(self) -> int:
        """Return the child's process id."""
        return self._process.pid

    @property
    def progress(self) -> float:
        """Return how far loading has come, from 0 to 1."""
        return self._clock.progress

    @property
    def reason(self) -> str:
        """Return why the child is gone; empty while it lives, and when it was asked to stop."""
        return self._reason

    async def ready(self, info_type: type[Info]) -> Info:
        """Wait until the child is ready and return what it said of itself; raise LoadFailed when it never will be."""
        await self._settled.wait()
        if self._failure is not None:
            raise self._failure
        try:
            return msgspec.convert(self._info, info_type)
        except msgspec.ValidationError as error:
            raise LoadFailed(f"{self.name} said something strange of itself: {error}") from error

    async def send(self, request: msgspec.Struct) -> None:
        """Send a request, waiting while the child is slow to read; raise RunnerDied when it is gone or never reads."""
        self.post(request)
        try:
            async with asyncio.timeout(self._deadlines.send_s):
                await self._line.drain()
        except TimeoutError:
            raise RunnerDied(f"{self.name} has not read its requests for {self._deadlines.send_s:g} s") from None

    def post(self, request: msgspec.Struct) -> None:
        """Send a small request without waiting, for example a cancellation; raise RunnerDied when the child is gone."""
        if self.state is State.GONE or not self._line.is_open:
            raise self.death()
        self._line.write(encode(request))

    def give(self, work: int) -> None:
        """Note that somebody waits for that work: a child that shows no sign of work for `Deadlines.work_s` is ended."""
        self._work.give(work, asyncio.get_running_loop().time())
        self._watch()

    def settle(self, work: int) -> None:
        """Note that it has come, or that nobody waits for it any longer; it can be said twice."""
        self._work.settle(work)

    def hand_over(self, take: Callable[[Reply], None]) -> None:
        """Give each reply to `take` as soon as it is here, in order; `wait_closed` tells when there will be no more."""
        for reply in self._early:
            take(reply)
        self._early.clear()
        self._take = take

    async def wait_closed(self) -> str:
        """Wait until the child is gone and return why; empty when it was asked to stop. Any number may wait."""
        await self._closed.wait()
        return self._reason

    def death(self) -> RunnerDied:
        """Return the error for a request that the child's end cut off."""
        why = self._reason or f"{self.name} has been stopped"
        return RunnerDied(why, out_of_memory=self.state is State.GONE and bool(self._reason) and self._ran_out_of_memory())

    async def stop(self) -> None:
        """Ask the child to leave, make it leave, and return when it is gone; never raises, and can be repeated."""
        if self.state is not State.GONE:
            self.state = State.STOPPING
            self._settle_failure(f"{self.name} was stopped before it was ready")
            self._line.close()
            if self._process.pid:
                await self._end_process()
        self._leave()

    async def start(self, argv: Sequence[str], environment: Mapping[str, str | None]) -> None:
        """Start the child; raise LoadFailed when there is nothing to start."""
        loop = asyncio.get_running_loop()
        try:
            ours, theirs = socket.socketpair()
            with theirs:
                await loop.create_connection(lambda: self._line, sock=ours)
                variables = child_environment(environment, channel_fd=theirs.fileno())
                await self._process.start(argv, variables, channel_fd=theirs.fileno())
        except (OSError, ValueError) as error:
            raise LoadFailed(f"can't start {self.name} ({argv[0]}): {error}") from error
        self._clock.start(loop.time())
        _log.debug("%s has started, process %d", self.name, self.pid)
        self._watch()

    async def _end_process(self) -> None:
        try:
            self._process.signal_group(signal.SIGTERM)
            await self._wait_gone(self._deadlines.grace_s)
        finally:
            if not self._closed.is_set():
                self._process.signal_group(signal.SIGKILL)
        await self._wait_gone(self._deadlines.kill_s)

    async def _wait_gone(self, limit_s: float) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await self._closed.wait()
        except TimeoutError:
            return

    def _heard(self, body: bytes) -> None:
        message = self._decoder.decode(body)
        match message:
            case Progress(fraction):
                self._heard_progress(fraction)
            case Ready(info):
                self._heard_ready(info)
            case Working():
                self._work.sign(asyncio.get_running_loop().time())
            case Failure(text, out_of_memory):
                self._settle_failure(text, out_of_memory=out_of_memory or self.output.out_of_memory)
            case reply:
                self._take(reply)

    def _heard_progress(self, fraction: float) -> None:
        now = asyncio.get_running_loop().time()
        self._clock.advance(fraction, now)
        if self.state is State.STARTING:
            self.state = State.LOADING
            self._clock.sign(now)
            self._watch()

    def _heard_ready(self, info: object) -> None:
        if self.state in (State.STARTING, State.LOADING) and not self._settled.is_set():
            self.state = State.READY
            self.output.forgive()
            self._info = info
            self._settled.set()

    def _heard_output(self, data: bytes) -> None:
        self._clock.sign(asyncio.get_running_loop().time())
        self.output.feed(data)
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%s wrote: %s", self.name, data.decode(errors="replace").rstrip())

    def _heard_nonsense(self, error: ValueError) -> None:
        self._condemn(f"{self.name} sent something that is no answer: {error}")

    def _watch(self) -> None:
        """Condemn a child that shows no sign of life, and look again when the next deadline is due."""
        if self._timer is not None:
            self._timer.cancel()
        if self._end_timer is not None or self.state is State.STOPPING:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        if now - self._due() > _ASLEEP_S:
            # Nobody looked in time: all of us were stopped, as `docker pause` does it, and the child is about to go on.
            self._clock.sign(now)
            self._work.sign(now)
        due = self._due()
        if now >= due:
            self._condemn(self._describe_delay())
        elif due < math.inf:
            self._timer = loop.call_at(due, self._watch)

    def _due(self) -> float:
        return self._work.due() if self._settled.is_set() else self._clock.due(self.state)

    def _describe_delay(self) -> str:
        last = self.output.last_error
        if self._settled.is_set():
            return describe_stall(self.name, self._deadlines.work_s, last)
        waited_s = asyncio.get_running_loop().time() - self._clock.started_at
        return describe_slow_load(self.name, self.state.value, self.progress, waited_s, last or self.output.last_line)

    def _condemn(self, reason: str) -> None:
        """End a child that can't be trusted any longer; who waits for it is told why, even when the system can't end it."""
        self._reason = reason
        self._is_condemned = True
        self._settle_failure(reason)
        self._line.close()
        self._process.signal_group(signal.SIGKILL)
        self._leave_in(self._deadlines.kill_s)

    def _settle_failure(self, message: str, *, out_of_memory: bool = False) -> None:
        if not self._settled.is_set():
            self._failure = LoadFailed(message, out_of_memory=out_of_memory)
            self._settled.set()

    def _exited(self) -> None:
        self._leave_in(_LAST_WORDS_S)
        self._part_ended()

    def _leave_in(self, limit_s: float) -> None:
        if self._end_timer is not None:
            self._end_timer.cancel()
        self._end_timer = asyncio.get_running_loop().call_later(limit_s, self._leave)

    def _part_ended(self) -> None:
        self._parts_left -= 1
        if self._parts_left == 0:
            self._leave()

    def _leave(self) -> None:
        """Note the end, once the process, its output and its line have ended (or had their time)."""
        if self.state is State.GONE:
            return
        was_asked = self.state is State.STOPPING
        self.state = State.GONE
        self.output.close()
        if not was_asked:
            self._reason = self._reason or self._describe_end()
            _log.warning("%s", self._reason)
        self._settle_failure(self._describe_end(), out_of_memory=self._ran_out_of_memory())
        for timer in filter(None, (self._timer, self._end_timer)):
            timer.cancel()
        self._line.close()
        self._process.close()
        self._closed.set()

    def _ran_out_of_memory(self) -> bool:
        code = self._process.exit_code
        return self.output.out_of_memory or (code is not None and was_killed(code) and not self._is_condemned)

    def _describe_end(self) -> str:
        was_ready = self._settled.is_set() and self._failure is None
        last = {"last_error": self.output.last_error, "last_line": self.output.last_line}
        return describe_end(self.name, self._process.exit_code, was_ready=was_ready, **last)
