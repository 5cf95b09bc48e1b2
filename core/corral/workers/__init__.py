"""The single place that starts, talks to, watches and stops a child process; parent's side here, the child's in `child`."""

from __future__ import annotations

from corral.workers.command import Deadlines, python_module
from corral.workers.frames import Failure, Progress, Ready
from corral.workers.starting import start_worker
from corral.workers.state import State
from corral.workers.worker import Worker

__all__ = ["Deadlines", "Failure", "Progress", "Ready", "State", "Worker", "python_module", "start_worker"]
