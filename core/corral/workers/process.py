"""One operating-system process with a group of its own: its output, its end, and signals to all of it."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Process(asyncio.SubprocessProtocol):
    """A running child. `on_exit` is called once when it ended, `on_silence` when its output has ended too."""

    def __init__(self, on_output: Callable[[bytes], None], on_exit: Callable[[], None], on_silence: Callable[[], None]) -> None:
        self._on_output = on_output
        self._on_exit = on_exit
        self._on_silence = on_silence
        self._transport: asyncio.SubprocessTransport | None = None

    async def start(self, argv: Sequence[str], environment: Mapping[str, str], *, channel_fd: int) -> None:
        """Start the process with one inherited descriptor; raise OSError when that is impossible."""
        await asyncio.get_running_loop().subprocess_exec(
            lambda: self,
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            # One pipe for both, so that lines keep their order and one sink serves them.
            stderr=asyncio.subprocess.STDOUT,
            env=dict(environment),
            pass_fds=(channel_fd,),
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Return the process id; 0 before the start."""
        return (self._transport.get_pid() or 0) if self._transport else 0

    @property
    def exit_code(self) -> int | None:
        """Return how it ended, negative for a signal; None while it runs."""
        return self._transport.get_returncode() if self._transport else None

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the process and all it started; nothing happens when they are gone."""
        if self.pid:
            _signal_group(self.pid, number)

    def close(self) -> None:
        """Let go of the pipes."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (called by asyncio)."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 - asyncio passes it
        """Pass output on (called by asyncio)."""
        self._on_output(data)

    def process_exited(self) -> None:
        """Clear away what the process left running, then tell (called by asyncio)."""
        # A grandchild would keep the pipe open and memory taken.
        self.signal_group(signal.SIGKILL)
        self._on_exit()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio passes it
        """Tell that the output has ended (called by asyncio)."""
        self._on_silence()


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
