"""Start a child for as long as a block of code needs it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from corral.workers.command import Deadlines
from corral.workers.worker import Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

Reply = TypeVar("Reply")


@asynccontextmanager
async def start_worker(
    argv: Sequence[str],
    *,
    name: str,
    reply_types: Sequence[type[Reply]],
    environment: Mapping[str, str | None] | None = None,
    deadlines: Deadlines | None = None,
) -> AsyncIterator[Worker[Reply]]:
    """Start a child and yield it at once, still loading; it is gone when the block is left.

    `environment` is laid over this process's own; None takes a variable away. Raises LoadFailed when nothing starts.
    The calling thread has to outlive the child: Linux tells a child of its parent's death when the starting thread ends.
    """
    worker: Worker[Reply] = Worker(name, reply_types=reply_types, deadlines=deadlines or Deadlines())
    try:
        await worker.start(argv, environment or {})
        yield worker
    finally:
        await worker.stop()
