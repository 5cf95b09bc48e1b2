"""Leave the process, whatever plugins have left running in it."""

from __future__ import annotations

import os
import sys
import threading
from time import monotonic
from typing import NoReturn

import click

#: Seconds for threads that are about to end.
_GRACE_S = 1.0


def leave(code: int) -> NoReturn:
    """End the process with that exit code; Python itself would wait for ever for a thread that does not end."""
    deadline = monotonic() + _GRACE_S
    for thread in _others():
        thread.join(max(0.0, deadline - monotonic()))
    if stuck := _others():
        names = ", ".join(sorted(thread.name for thread in stuck))
        click.echo(f"corral: leaving without waiting for {names} (a plugin started it and does not stop it)", err=True)
        sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def _others() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread is not threading.current_thread() and not thread.daemon]
