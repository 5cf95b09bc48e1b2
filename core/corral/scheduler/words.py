"""What the scheduler's core hears (events) and what it asks for (actions)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from corral.devices import Placement
    from corral.errors import CorralError, RunnerDied
    from corral.placement import Conditions, Verdict
    from corral.runners import RunnerInfo
    from corral.spec import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request wants a runner of a model. None keeps the keep-alive that the runner has."""

    ticket: int
    model: ModelSpec
    keep_alive_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A request is over: answered, given up while it waited, or failed with its runner (`error`)."""

    ticket: int
    error: RunnerDied | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan is made, or could not be; `gpu_count` is of the usable ones."""

    load: int
    outcome: Verdict | CorralError
    gpu_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A runner has loaded its model."""

    load: int
    info: RunnerInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A runner never became ready, and its process is gone."""

    load: int
    error: CorralError


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A runner's process is gone, whether it was told to go or not."""

    load: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The memory of a runner that is gone is free again, or nobody waits for it any longer."""

    load: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """Somebody wants a model unloaded as soon as it is idle."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """The time of the next deadline has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The scheduler shuts down."""


Event: TypeAlias = Asked | Left | Planned | Ready | Failed | Gone | Recovered | Expired | Ticked | Closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Give a waiting request its runner. Times are how long it waited, for others and for its own load."""

    ticket: int
    load: int
    queue_s: float
    load_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Tell a waiting request that it gets none."""

    ticket: int
    error: CorralError


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePlan:
    """Look at the devices and place a model; answer with Planned."""

    load: int
    model: ModelSpec
    conditions: Conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawn:
    """Start a runner; answer with Ready or Failed, and with Gone after Ready."""

    load: int
    model: ModelSpec
    placement: Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Stop a runner, loading or ready; answer with Gone."""

    load: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover:
    """Wait, within limits, until the memory of a runner that is gone is free again; answer with Recovered."""

    load: int
    placement: Placement


Action: TypeAlias = Grant | Refuse | MakePlan | Spawn | Stop | Recover
