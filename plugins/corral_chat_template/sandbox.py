"""Where do model-supplied templates run? In one warm child process that is killed when it oversteps."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import weakref
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Final

import msgspec

from corral_chat_template.limits import GRACE_S, MEMORY_BYTES, MESSAGE_BYTES, WALL_S
from corral_chat_template.wire import Answer, Failed, Render, receive, send

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from corral.conversation import JsonObject

#: Roles that templates know; the name of another one is foreign text.
ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function", "ipython", "model")

#: What the child needs of our environment; secrets that stand there are none of its business.
ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "TZ", "LANG", "LC_ALL", "LC_TIME")


class Sandbox:
    """Renders templates in a child process that it starts when first needed, and again after it had to go.

    Blocks the caller while a template renders: under a millisecond when warm, `limits.CPU_S` at worst for a hostile one
    that still reacts. Safe to call from several threads.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now().astimezone(), patience_s: float = WALL_S + GRACE_S) -> None:
        self.now = clock
        self._patience_s = patience_s
        self._lock = Lock()
        self._child: _Child | None = None

    def render(self, template: str, renders: Sequence[JsonObject]) -> list[Answer]:
        """Render a template once per set of variables; a failure is an answer too."""
        request = Render(template, self.now().isoformat(), list(renders), list(ROLES))  # type: ignore[arg-type]
        with self._lock:
            answers = self._living_child().ask(msgspec.msgpack.encode(request))
            if answers is None or any(isinstance(answer, Failed) and answer.limit for answer in answers):
                self.close()
        return answers or [Failed(f"killed: it used more than {WALL_S:g} s or {MEMORY_BYTES >> 20} MiB", 0, limit=True)] * len(renders)

    def _living_child(self) -> _Child:
        if self._child is not None and self._child.process.poll() is not None:
            self.close()
        self._child = self._child or _Child(self._patience_s)
        return self._child

    def close(self) -> None:
        """Stop the child, if there is one."""
        if self._child is not None:
            self._child.close()
            self._child = None


class _Child:
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
        self.process = process
        self.close = weakref.finalize(self, _stop, ours, process)

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
