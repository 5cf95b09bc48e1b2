"""One context of a model: its cache, its batches and their logits."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, TypeAlias, cast

import llama_cpp.llama_cpp as ll
import numpy as np

from corral.errors import LoadFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from corral_llama_cpp.engine.seams import Batch, State
    from corral_llama_cpp.native.log import Log
    from corral_llama_cpp.native.model import Model
    from corral_llama_cpp.wire import Load

    Floats: TypeAlias = npt.NDArray[np.float32]

FULL_CACHE = "f16"
_CACHE_TYPES = {FULL_CACHE: 1, "q8_0": 8, "q4_0": 2}
#: The library's numbers of ways to pool.
_NONE, _LAST, _RANK = 0, 3, 4
_FLASH = {None: -1, False: 0, True: 1}


class ContextMemory:
    """The cache of a context; see `engine.seams.Memory`."""

    def __init__(self, context: int, window: int) -> None:
        self._context = context
        self._window = window
        self._memory = ll.llama_get_memory(context)

    def remove(self, sequence: int, start: int, end: int = -1) -> bool:
        """Forget the positions of a sequence in [start, end)."""
        return bool(ll.llama_memory_seq_rm(self._memory, sequence, start, end))

    def copy(self, source: int, target: int, start: int, end: int) -> None:
        """Let `target` share the cells of `source` in [start, end)."""
        ll.llama_memory_seq_cp(self._memory, source, target, start, end)

    def shift(self, sequence: int, start: int, delta: int) -> None:
        """Add `delta` to the positions of a sequence from `start` on."""
        ll.llama_memory_seq_add(self._memory, sequence, start, -1, delta)

    def state_bytes(self, sequence: int) -> int:
        """Return how large a copy of a sequence would be."""
        return self._size(sequence, ll.LLAMA_STATE_SEQ_FLAGS_NONE)

    def save(self, sequence: int) -> State:
        """Return a copy of all that the cache holds for a sequence."""
        return self._save(sequence, ll.LLAMA_STATE_SEQ_FLAGS_NONE)

    def load(self, sequence: int, state: State) -> bool:
        """Put what was saved into an empty sequence; False when there is no room for it."""
        return self._load(sequence, state, ll.LLAMA_STATE_SEQ_FLAGS_NONE)

    def reaches_back(self, sequence: int, length: int) -> bool:
        """Return whether all is there that a token after the first `length` ones looks back on.

        Cells that no window reaches any more are given to other tokens, even in a cache that is not full.
        """
        return int(ll.llama_memory_seq_pos_min(self._memory, sequence)) <= max(length - self._window, 0)

    def checkpoint(self, sequence: int) -> State:
        """Return a copy of what can't be cut in a sequence: its recurrent state."""
        return self._save(sequence, ll.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY)

    def restore(self, sequence: int, state: State) -> bool:
        """Put a checkpoint's state in the place of the present one; False, with the state lost, when that fails."""
        return self._load(sequence, state, ll.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY)

    def _size(self, sequence: int, flags: int) -> int:
        return int(ll.llama_state_seq_get_size_ext(self._context, sequence, flags))

    def _save(self, sequence: int, flags: int) -> State:
        # Written to once: pages that are new to the process cost ten times as much as what is copied into them.
        state = np.empty(self._size(sequence, flags), np.uint8)
        written = ll.llama_state_seq_get_data_ext(self._context, _pointer(state, ctypes.c_uint8), len(state), sequence, flags)
        return state[:written].data

    def _load(self, sequence: int, state: State, flags: int) -> bool:
        data = np.frombuffer(state, np.uint8)
        return bool(ll.llama_state_seq_set_data_ext(self._context, _pointer(data, ctypes.c_uint8), len(data), sequence, flags))

    @property
    def is_there(self) -> bool:
        """Return whether the context has a cache; encoders need none."""
        return bool(self._memory)

    @property
    def can_shift(self) -> bool:
        """Return whether positions can be moved."""
        return bool(ll.llama_memory_can_shift(self._memory))


class Context:
    """A context that decodes batches of one size, through buffers that are made once and filled in bulk."""

    def __init__(self, model: Model, load: Load, sequences: int, log: Log, beat: Callable[[], None]) -> None:
        self.batch_tokens = load.batch_tokens
        self.pointer = ll.llama_init_from_model(model.pointer, _params(load, sequences))
        if not self.pointer:
            raise LoadFailed(f"there is no room for the context: {log.last_lines() or 'llama.cpp gives no reason'}")
        if model.adapters:
            self._apply(model.adapters)
        self.memory = ContextMemory(self.pointer, model.window)
        self._vocabulary_size = model.vocabulary.size
        self._width = model.width
        #: llama.cpp keeps as many figures as the head gives; what follows them is somebody else's memory.
        self._pooled_width = model.classes if self.is_ranking else model.width
        self._buffers = _Buffers(load.batch_tokens)
        self._logits: Floats | None = None
        self._outputs = 0
        self._beat = beat

    def decode(self, batch: Batch) -> int:
        """Evaluate a batch; see `engine.seams.Backend.decode`."""
        self._logits = None
        self._outputs = len(batch.outputs)
        status = int(ll.llama_decode(self.pointer, self._buffers.fill(batch)))
        self._beat()
        return status

    def logits(self, row: int) -> Floats:
        """Return the logits of an output row, until the next decode."""
        if self._logits is None:
            self._logits = _matrix(ll.llama_get_logits(self.pointer), self._outputs, self._vocabulary_size)
        found: Floats = self._logits[row]
        return found

    def pooled(self, sequence: int) -> Floats:
        """Return the pooled embedding of a sequence, or what the head of a model that ranks says of it."""
        return _matrix(ll.llama_get_embeddings_seq(self.pointer, sequence), 1, self._pooled_width).reshape(-1)

    def embedding(self, index: int) -> Floats:
        """Return the embedding of the token at an index of the batch."""
        return _matrix(ll.llama_get_embeddings_ith(self.pointer, index), 1, self._width).reshape(-1)

    @property
    def is_pooling(self) -> bool:
        """Return whether the library pools the embeddings of a sequence."""
        return int(ll.llama_pooling_type(self.pointer)) > 0

    @property
    def is_ranking(self) -> bool:
        """Return whether the library puts sequences through a head that ranks."""
        return int(ll.llama_pooling_type(self.pointer)) == _RANK

    @property
    def is_splittable(self) -> bool:
        """Return whether an input to embed may be evaluated in parts: its last token has seen all others, and is all that counts."""
        is_causal = self.memory.is_there and bool(ll.llama_get_causal_attn(self.pointer))
        return is_causal and int(ll.llama_pooling_type(self.pointer)) in (_NONE, _LAST, _RANK)

    def embed(self, *, on: bool) -> None:
        """Switch between embeddings and logits."""
        ll.llama_set_embeddings(self.pointer, on)

    def set_threads(self, count: int) -> None:
        """Use that many threads from the next decode on."""
        ll.llama_set_n_threads(self.pointer, count, count)

    def close(self) -> None:
        """Free the context."""
        ll.llama_free(self.pointer)

    def _apply(self, adapters: list[ctypes._Pointer[ctypes.c_void_p]]) -> None:
        pointers = (ll.llama_adapter_lora_p_ctypes * len(adapters))(*adapters)
        scales = (ctypes.c_float * len(adapters))(*([1.0] * len(adapters)))
        if ll.llama_set_adapters_lora(self.pointer, pointers, len(adapters), scales):
            raise LoadFailed("the adapters do not fit this model")


class _Buffers:
    """The arrays of a `llama_batch`, with views that numpy fills at once."""

    def __init__(self, size: int) -> None:
        self._tokens = np.zeros(size, np.int32)
        self._positions = np.zeros(size, np.int32)
        self._sequences = np.zeros(size, np.int32)
        self._counts = np.ones(size, np.int32)
        self._outputs = np.zeros(size, np.int8)
        # Each token belongs to one sequence: its list of sequences is one cell of `_sequences`.
        self._lists = self._sequences.ctypes.data + np.arange(size, dtype=np.uintp) * self._sequences.itemsize
        self._batch = ll.llama_batch(
            token=_pointer(self._tokens, ctypes.c_int32),
            pos=_pointer(self._positions, ctypes.c_int32),
            n_seq_id=_pointer(self._counts, ctypes.c_int32),
            seq_id=_pointer(self._lists, ctypes.POINTER(ctypes.c_int32)),
            logits=_pointer(self._outputs, ctypes.c_int8),
        )

    def fill(self, batch: Batch) -> ll.llama_batch:
        """Copy a batch into the arrays."""
        count = len(batch.tokens)
        self._tokens[:count] = batch.tokens
        self._positions[:count] = batch.positions
        self._sequences[:count] = batch.sequences
        self._outputs[:count] = 0
        self._outputs[batch.outputs] = 1
        self._batch.n_tokens = count
        return self._batch


def _pointer(array: npt.NDArray[np.generic], kind: type[ctypes._CDataType]) -> object:
    return ctypes.cast(array.ctypes.data, ctypes.POINTER(kind))


def _matrix(pointer: object, rows: int, columns: int) -> Floats:
    # The library keeps the memory; the array is a view of it.
    matrix: Floats = np.ctypeslib.as_array(cast("ctypes.Array[ctypes.c_float]", pointer), (rows, columns))
    return matrix


def _params(load: Load, sequences: int) -> ll.llama_context_params:
    params: ll.llama_context_params = ll.llama_context_default_params()
    params.n_batch = params.n_ubatch = _batch(load, sequences)
    params.n_ctx = max(load.context_tokens * load.parallel, params.n_batch)
    params.n_seq_max = sequences
    params.n_threads = params.n_threads_batch = load.threads
    params.kv_unified = True
    params.no_perf = True
    params.embeddings = load.is_embedding
    params.type_k, params.type_v = (_cache_type(wanted, load) for wanted in (load.cache_type_k, load.cache_type_v))
    # A quantised cache needs flash attention for sure, not only where the library would choose it.
    is_quantised = (load.cache_type_k, load.cache_type_v) != (FULL_CACHE, FULL_CACHE)
    params.flash_attn_type = _FLASH[load.flash_attention is not False if is_quantised else load.flash_attention]
    return params


def _batch(load: Load, sequences: int) -> int:
    # llama.cpp aborts when it reserves memory for the means of sequences that do not share a batch evenly.
    return -(-load.batch_tokens // sequences) * sequences if load.is_embedding else load.batch_tokens


def _cache_type(wanted: str, load: Load) -> int:
    if wanted not in _CACHE_TYPES:
        raise LoadFailed(f"no cache type '{wanted}' (there are {', '.join(_CACHE_TYPES)})")
    return _CACHE_TYPES[FULL_CACHE if load.flash_attention is False else wanted]
