"""What a child is started with: its command line, its environment and its deadlines."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Tell a child which inherited descriptor is its end of the socket pair, and who its parent is.
CHANNEL_VARIABLE = "CORRAL_CHANNEL_FD"
PARENT_VARIABLE = "CORRAL_PARENT_PID"

#: What opens doors elsewhere is no business of code that reads a stranger's model file.
_SECRETS = ("API_KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long a child may stay in each state, in seconds; inf waits for ever."""

    #: Without a sign of life after the start, and while loading.
    start_s: float = 60.0
    stall_s: float = 300.0
    #: From the start until ready, however much progress it reports.
    load_s: float = 3600.0
    #: Without a step of the work that somebody waits for; see `Channel.beat`.
    work_s: float = math.inf
    #: Between SIGTERM and SIGKILL, and between SIGKILL and giving up on it.
    grace_s: float = 5.0
    kill_s: float = 5.0
    #: For the child to read what was sent when its buffer is full.
    send_s: float = 30.0


def python_module(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs a module in this interpreter; a file in the current folder can't shadow an import."""
    return (sys.executable, "-P", "-u", "-X", "utf8", "-m", module, *arguments)


def child_environment(changes: Mapping[str, str | None], *, channel_fd: int) -> dict[str, str]:
    """Return this process's environment without its secrets and with the changes made; None takes a variable away."""
    kept = {name: value for name, value in os.environ.items() if not any(word in name.upper() for word in _SECRETS)}
    changed: dict[str, str | None] = {
        **kept,
        **changes,
        CHANNEL_VARIABLE: str(channel_fd),
        PARENT_VARIABLE: str(os.getpid()),
    }
    return {name: value for name, value in changed.items() if value is not None}
