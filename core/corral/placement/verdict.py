"""What is asked of a plan beside the model, and the answer when there is no room."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from corral.devices import Placement
from corral.errors import NoRoom

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The key under which the host's memory is counted.
HOST = ("cpu", "")
#: What runners call it.
HOST_NAME = "CPU"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What the scheduler knows when it asks for a plan."""

    #: Less than everything that was asked for is a shortage: others can still be unloaded.
    whole: bool = False
    #: The last try ran out of memory: take the smallest automatic values and leave a reserve.
    reduced: bool = False
    #: Bytes that loaded models take, by the key of the device; the host's is `HOST`.
    taken: Mapping[tuple[str, str], int] = field(default_factory=dict)
    #: Bytes by which earlier estimates of this model were too low (or too high), by the runner's name of the device.
    corrections: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """Why a model can't be placed; both figures are in bytes."""

    reason: str
    required_bytes: int
    available_bytes: int
    #: Whether nothing would change if all loaded models were gone.
    is_hopeless: bool = False

    def error(self) -> NoRoom:
        """Return what a client is told."""
        return NoRoom(self.reason, required_bytes=self.required_bytes, available_bytes=self.available_bytes)


Verdict: TypeAlias = Placement | Shortage
