"""The child's end: read requests from the parent, answer, and leave when the parent does."""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import socket
import sys
from collections import deque
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar

from corral.workers.command import CHANNEL_VARIABLE, PARENT_VARIABLE
from corral.workers.frames import FrameSplitter, Working, decoder, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec

Request = TypeVar("Request")

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_READ_BYTES = 256 * 1024
#: Seconds between two signs of work; a model takes hundreds of steps in one.
_BEAT_S = 0.2


class Channel(Generic[Request]):
    """A child's two-way line to its parent. Any thread may send; one thread receives."""

    def __init__(self, line: socket.socket, request_types: Sequence[type[Request]]) -> None:
        self._line = line
        self._decoder = decoder(request_types)
        self._splitter = FrameSplitter()
        self._bodies: deque[bytes] = deque()
        self._sending = Lock()
        self._beaten_at = -math.inf

    def send(self, message: msgspec.Struct) -> None:
        """Send one struct; raise OSError when the parent has gone."""
        frame = encode(message)
        with self._sending:
            self._line.sendall(frame)

    def beat(self) -> None:
        """Tell the parent that a step of work is done. Only the thread that works may say so: any other goes on when it hangs."""
        now = monotonic()
        if now - self._beaten_at >= _BEAT_S:
            self._beaten_at = now
            self.send(Working())

    def receive(self) -> Request | None:
        """Wait for the next request; None when the parent has gone, or speaks another language."""
        while not self._bodies:
            data = self._read()
            if not data:
                return None
            self._bodies.extend(self._splitter.feed(data))
        return self._decoder.decode(self._bodies.popleft())

    def receive_waiting(self) -> list[Request]:
        """Return the requests that have arrived already, without reading."""
        requests = [self._decoder.decode(body) for body in self._bodies]
        self._bodies.clear()
        return requests

    def _read(self) -> bytes:
        try:
            return self._line.recv(_READ_BYTES)
        except ConnectionError:
            return b""


def attach(request_types: Sequence[type[Request]]) -> Channel[Request]:
    """Return the line to the parent that started this process; from here on its death is this process's death."""
    parent = int(os.environ.pop(PARENT_VARIABLE))
    line = socket.socket(fileno=int(os.environ.pop(CHANNEL_VARIABLE)))
    line.set_inheritable(False)
    die_with(parent)
    # The memory of a large model, written to disk when it crashes, fills the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return Channel(line, request_types)


def die_with(parent: int) -> None:
    """See to it that this process ends when its parent does, and never gains rights."""
    # Linux only; elsewhere the end of the socket is the only sign. The signal is sent for a death after this call,
    # the comparison notices one before it.
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # Model files come from strangers: what breaks out of their parser shall at least not climb through a setuid program.
        library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
