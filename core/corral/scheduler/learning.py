"""How far estimates of memory were off, so that the next one is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral.devices import Placement
    from corral.runners import RunnerInfo
    from corral.spec import ModelSpec

#: What runners call the host's memory.
_HOST_NAME = "CPU"


class Corrections:
    """Bytes to add to an estimate, by the weights of the model and the runner's name of the device."""

    def __init__(self) -> None:
        self._bytes: dict[tuple[str, str, str], int] = {}

    def learn(self, model: ModelSpec, placement: Placement, info: RunnerInfo) -> None:
        """Compare a placement with what the runner took. Differences add up, because the estimate held the earlier ones."""
        for name, estimate in estimates(placement).items():
            if name in info.memory:
                key = (str(model.path), model.runner.name, name)
                self._bytes[key] = self._bytes.get(key, 0) + info.memory[name] - estimate

    def of(self, model: ModelSpec) -> Mapping[str, int]:
        """Return what to add for a model, by the runner's name of the device."""
        wanted = (str(model.path), model.runner.name)
        return {name: size for (path, runner, name), size in self._bytes.items() if (path, runner) == wanted}


def estimates(placement: Placement) -> Mapping[str, int]:
    """Return the estimated bytes by the runner's name of the device."""
    return {_HOST_NAME: placement.host_bytes, **{share.device.name: share.total_bytes for share in placement.shares}}
