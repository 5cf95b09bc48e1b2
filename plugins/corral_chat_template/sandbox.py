"""Where do model-supplied templates run? Each in a warm child process of its own that is killed when it oversteps."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import weakref
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Final

import msgspec

from corral_chat_template.limits import CHILDREN, GRACE_S, MEMORY_BYTES, MESSAGE_BYTES, WALL_S
from corral_chat_template.wire import Answer, Failed, Render, receive, send

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from corral.conversation import JsonObject

#: Roles that templates know; the name of another one is foreign text.
ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function", "ipython", "model")

#: What the child needs of our environment; secrets that stand there are none of its business.
ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "TZ", "LANG", "LC_ALL", "LC_TIME")


class Sandbox:
    """Renders each template in a child process of its own, so that a hostile one delays nobody else.

    A child starts when its template is first rendered, and again after it had to go. Blocks the caller while a template
    renders: under a millisecond when warm, `limits.CPU_S` at worst for a hostile one that still reacts. Safe to call from
    several threads.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now().astimezone(), patience_s: float = WALL_S + GRACE_S) -> None:
        self.now = clock
        # A child that falls out of here ends after the render it is at: whoever waits for that still holds it.
        self._child_of = lru_cache(maxsize=CHILDREN)(lambda _template: _Child(patience_s))

    def render(self, template: str, renders: Sequence[JsonObject]) -> list[Answer]:
        """Render a template once per set of variables; a failure is an answer too."""
        request = Render(template, self.now().isoformat(), list(renders), list(ROLES))  # type: ignore[arg-type]
        answers = self._child_of(template).ask(msgspec.msgpack.encode(request))
        return answers or [Failed(f"killed: it used more than {WALL_S:g} s or {MEMORY_BYTES >> 20} MiB", 0, limit=True)] * len(renders)

    def close(self) -> None:
        """Stop the children, each after the render it is at."""
        self._child_of.cache_clear()


class _Child:
    """One template's process, replaced when it had to go; answers one request at a time."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._turn = Lock()
        self._process: _Process | None = None

    def ask(self, message: bytes) -> list[Answer] | None:
        """Return the answers; None when the process died or is stuck."""
        with self._turn:
            if self._process is None or self._process.has_ended:
                self._process = _Process(self._patience_s)
            answers = self._process.ask(message)
            if answers is None or any(isinstance(answer, Failed) and answer.limit for answer in answers):
                self._process = None
        return answers


class _Process:
    """The process and the socket to it; both go when this object does."""

    def __init__(self, patience_s: float) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "corral_chat_template.child", str(theirs.fileno())]
            process = subprocess.Popen(
                command,
                pass_fds=(theirs.fileno(),),
                env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        ours.settimeout(patience_s)
        self._channel = ours
        self._process = process
        weakref.finalize(self, _stop, ours, process)

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def ask(self, message: bytes) -> list[Answer] | None:
        """Return the answers; None when the child died or is stuck."""
        try:
            send(self._channel, message)
            reply = receive(self._channel, MESSAGE_BYTES)
        except (TimeoutError, ConnectionError):
            return None
        return None if reply is None else msgspec.msgpack.decode(reply, type=list[Answer])


def _stop(channel: socket.socket, process: subprocess.Popen[bytes]) -> None:
    channel.close()
    process.kill()
    process.wait()
