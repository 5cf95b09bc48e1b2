"""The candidates of one choice, in the library's own layout."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, cast

import llama_cpp.llama_cpp as ll
import numpy as np

from corral_llama_cpp.engine.seams import SamplingFailed

if TYPE_CHECKING:
    import numpy.typing as npt

_LAYOUT = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class Candidates:
    """A reusable array of tokens and logits, filled in bulk, that samplers change in place."""

    def __init__(self, size: int) -> None:
        self._ids = np.arange(size, dtype=np.int32)
        self._array = np.empty(size, _LAYOUT)
        pointer = ctypes.cast(self._array.ctypes.data, ll.llama_token_data_p)
        self._data = cast("ctypes.Array[ll.llama_token_data]", pointer)
        self._view = ll.llama_token_data_array()

    def fill(self, logits: npt.NDArray[np.float32], ids: npt.NDArray[np.int32] | None = None) -> None:
        """Take logits, of all tokens or of `ids`."""
        count = len(logits)
        self._array["id"][:count] = self._ids if ids is None else ids
        self._array["logit"][:count] = logits
        self._reset(count)

    def fill_one(self, token: int) -> None:
        """Take one token."""
        self._array[0] = (token, 0.0, 0.0)
        self._reset(1)

    def apply(self, sampler: ll.llama_sampler_p) -> None:
        """Let a sampler change, sort and select."""
        ll.llama_sampler_apply(sampler, ctypes.byref(self._view))

    @property
    def is_any_left(self) -> bool:
        """Return whether a candidate has a finite logit; only before anything was sorted away."""
        return bool(np.isfinite(self._array["logit"][: self._view.size].max()))

    @property
    def chosen(self) -> int:
        """Return the token that a sampler selected."""
        if not 0 <= self._view.selected < self._view.size:
            raise SamplingFailed("the sampler ruled out every token")
        # A sampler may have put its own array in the place of ours.
        return int(self._view.data[self._view.selected].id)

    def _reset(self, count: int) -> None:
        view = self._view
        view.data, view.size, view.selected, view.sorted = self._data, count, -1, False
