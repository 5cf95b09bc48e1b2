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


def describe_end(name: str, code: int | None, *, was_ready: bool, last_error: str, last_line: str) -> str:
    """Return how a child ended, and what it said last; None is one that does not end."""
    if code is None:
        return f"{name} does not end, even after SIGKILL"
    # Who was killed from outside could not say why: its last line is about something else.
    last = last_error or (last_line if code and not was_killed(code) else "")
    return f"{name} {describe_exit(code)}{'' if was_ready else ' before it was ready'}{_because(last)}"


def describe_slow_load(name: str, state: str, progress: float, waited_s: float, last: str) -> str:
    """Return that a child took too long to get ready, and what it said last."""
    return f"{name} timed out {state} at {progress:.0%} after {waited_s:.1f} s{_because(last)}"


def describe_stall(name: str, limit_s: float, last: str) -> str:
    """Return that a child got no further with its work, and what it said last."""
    return (
        f"{name} hangs: it got no further for {limit_s:g} s and was ended (raise CORRAL_STALL_TIMEOUT if it was only slow){_because(last)}"
    )


def _because(last: str) -> str:
    return f": {last}" if last else ""


def was_killed(code: int) -> bool:
    """Return whether someone else ended the process at once, as the kernel does when memory runs out."""
    return code == -signal.SIGKILL
