"""What a request gets from the scheduler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral.devices import Placement
    from corral.runners import Notice, Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A runner on loan, where it is placed, how long the request waited for it, and what is less than was asked for."""

    runner: Runner
    placement: Placement
    #: Seconds spent behind other requests, and in the load of this model.
    queue_s: float
    load_s: float
    notices: tuple[Notice, ...] = ()
