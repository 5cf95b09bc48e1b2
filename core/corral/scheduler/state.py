"""What the scheduler's core remembers: waiting requests, runners, and the one load in progress."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from corral.devices import DeviceKind
from corral.placement import HOST, HOST_NAME
from corral.scheduler.learning import actual_bytes, estimated_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral.devices import Placement
    from corral.errors import LoadFailed
    from corral.runners import RunnerInfo
    from corral.spec import ModelSpec


class Phase(Enum):
    """Where a runner is in its life."""

    LOADING = "loading"
    READY = "ready"
    STOPPING = "stopping"
    #: Its process is gone, its memory perhaps not yet.
    RECOVERING = "recovering"


@dataclass(slots=True, kw_only=True)
class Waiting:
    """A request without a runner."""

    ticket: int
    model: ModelSpec
    keep_alive_s: float | None
    since: float


@dataclass(slots=True, kw_only=True)
class Slot:
    """A runner, from the moment it is started until its memory is back."""

    load: int
    model: ModelSpec
    placement: Placement
    keep_alive_s: float
    phase: Phase = Phase.LOADING
    info: RunnerInfo | None = None
    #: Tickets of the requests that hold it.
    active: set[int] = field(default_factory=set)
    idle_since: float = 0.0
    #: When the load began and when it was over.
    began: float = 0.0
    ready_at: float = 0.0
    #: No new requests; stop as soon as it is idle.
    retired: bool = False

    @property
    def is_idle(self) -> bool:
        """Return whether it is ready and nobody holds it."""
        return self.phase is Phase.READY and not self.active

    @property
    def capacity(self) -> int:
        """Return how many requests it serves at once."""
        return self.info.slots if self.info else 1

    @property
    def expires_at(self) -> float:
        """Return when an idle runner is to stop; inf while it is not idle."""
        if not self.is_idle:
            return math.inf
        return self.idle_since if self.retired else self.idle_since + self.keep_alive_s

    @property
    def lags(self) -> bool:
        """Return whether its memory may come back later than its process ends, as with discrete GPUs."""
        return any(share.device.kind is DeviceKind.GPU for share in self.placement.shares)

    def taken(self) -> Mapping[tuple[str, str], int]:
        """Return the bytes it may take, by device: the runner's own figures where it gave them."""
        actual = {**estimated_bytes(self.placement), **actual_bytes(self.placement, self.info)}
        devices = {share.device.key: actual[share.device.name] for share in self.placement.shares}
        return {**devices, HOST: actual[HOST_NAME] + self.placement.parking_bytes}


class Step(Enum):
    """Where the load in progress is."""

    #: Waiting for others to go.
    CLEARING = "clearing"
    PLANNING = "planning"
    SPAWNED = "spawned"


@dataclass(slots=True, kw_only=True)
class Job:
    """The one load in progress."""

    load: int
    model: ModelSpec
    began: float
    step: Step = Step.CLEARING
    #: Loads of the runners that must be gone before it goes on.
    victims: set[int] = field(default_factory=set)
    #: Whether another idle runner may go in the place of a busy victim.
    any_victim: bool = False
    #: Whether others were loaded when the last plan was made.
    had_company: bool = False
    #: The second try after running out of memory, and what the first one was.
    reduced: bool = False
    failed_placement: Placement | None = None
    out_of_memory: LoadFailed | None = None
    evicted: int = 0
    keep_alive_s: float | None = None
