"""Why a child went away, in words."""

from __future__ import annotations

import signal

_SIGNALS = {
    signal.SIGKILL: "was killed by SIGKILL, most likely because the system ran out of memory",
    signal.SIGSEGV: "crashed (SIGSEGV)",
    signal.SIGBUS: "crashed (SIGBUS); a model file that shrank while in use does this",
    signal.SIGABRT: "aborted (SIGABRT)",
    signal.SIGILL: "crashed (SIGILL); it was built for another processor",
    signal.SIGFPE: "crashed (SIGFPE)",
}


def describe_exit(code: int) -> str:
    """Return what happened to a process that ended with that code; a negative one is a signal."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        number = signal.Signals(-code)
    except ValueError:
        return f"was killed by signal {-code}"
    return _SIGNALS.get(number, f"was killed by {number.name}")


def was_killed(code: int) -> bool:
    """Return whether someone else ended the process at once, as the kernel does when memory runs out."""
    return code == -signal.SIGKILL
