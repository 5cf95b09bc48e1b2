"""What loads really took, and how far the estimates were off, so that the next one is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.placement import HOST_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral.devices import Placement
    from corral.runners import RunnerInfo
    from corral.spec import ModelSpec

# A correction never makes an estimate less than half, or more than twice, of what arithmetic says: figures come from plugins.
_LEAST, _MOST = 0.5, 2.0


class Corrections:
    """Bytes to add to an estimate, by the weights of the model and the runner's name of the device."""

    def __init__(self) -> None:
        self._bytes: dict[tuple[str, str, str], int] = {}

    def learn(self, model: ModelSpec, placement: Placement, info: RunnerInfo) -> None:
        """Compare a placement with what the runner took. The estimate held the earlier correction, so differences add up."""
        actual = actual_bytes(placement, info)
        for name, estimate in estimated_bytes(placement).items():
            if name in actual:
                key = (str(model.path), model.runner.name, name)
                earlier = self._bytes.get(key, 0)
                plain = estimate - earlier
                corrected = min(max(actual[name], int(_LEAST * plain)), int(_MOST * plain))
                self._bytes[key] = corrected - plain

    def of(self, model: ModelSpec) -> Mapping[str, int]:
        """Return what to add for a model, by the runner's name of the device."""
        wanted = (str(model.path), model.runner.name)
        return {name: size for (path, runner, name), size in self._bytes.items() if (path, runner) == wanted}


def estimated_bytes(placement: Placement) -> Mapping[str, int]:
    """Return the estimate by the runner's name of the device."""
    return {HOST_NAME: placement.host_bytes, **{share.device.name: share.total_bytes for share in placement.shares}}


def actual_bytes(placement: Placement, info: RunnerInfo | None) -> Mapping[str, int]:
    """Return what the runner says it took, by its name of the device; without what can't be compared.

    When part of a mapped file is on GPUs, the runner counts the whole mapping as the host's.
    """
    memory = info.memory if info else {}
    is_mapped_in_part = placement.use_mmap and bool(placement.shares)
    return {name: size for name, size in memory.items() if not (is_mapped_in_part and name == HOST_NAME)}
