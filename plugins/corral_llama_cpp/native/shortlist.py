"""Find the most likely tokens without sorting a vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_BLOCK = 64


def top_ids(logits: npt.NDArray[np.floating], count: int) -> npt.NDArray[np.int32]:
    """Return ids that include the `count` most likely ones, in the order of ids; usually a few more, never fewer.

    The count-th largest of the blocks' largest logits is a bound that at least `count` logits reach.
    """
    whole = len(logits) - len(logits) % _BLOCK
    peaks = logits[:whole].reshape(-1, _BLOCK).max(axis=1)
    if len(peaks) <= count:
        return np.arange(len(logits), dtype=np.int32)
    bound = np.partition(peaks, len(peaks) - count)[len(peaks) - count]
    return np.flatnonzero(logits >= bound).astype(np.int32)
