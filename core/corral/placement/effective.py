"""What the options come to: clamped where they must be, chosen where they were left to corral."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral.spec import ModelSpec

_GIB = 1024**3
#: Automatic contexts, by the memory of all GPUs together.
TIERS = ((47 * _GIB, 262_144), (23 * _GIB, 32_768), (0, 4_096))
_SMALLEST_CONTEXT = 4
# Fewer tokens do not hold one image.
_SMALLEST_VISION_CONTEXT = 2_048


def usable_context(num_ctx: int, model: ModelSpec) -> int:
    """Return the context that a model really gets when `num_ctx` is asked for."""
    floor = _SMALLEST_VISION_CONTEXT if model.projector else _SMALLEST_CONTEXT
    wanted = max(num_ctx, floor)
    trained = model.facts.context_length
    return min(wanted, trained) if trained else wanted


def smallest_automatic_context(model: ModelSpec) -> int:
    """Return the least context that anybody gets who did not ask for one."""
    return usable_context(TIERS[-1][1], model)
