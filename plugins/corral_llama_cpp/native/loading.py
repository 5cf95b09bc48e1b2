"""Put a model, its context and its engine together."""

from __future__ import annotations

import math
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

import llama_cpp.llama_cpp as ll
import msgspec

from corral_llama_cpp.engine.loop import Engine
from corral_llama_cpp.engine.threads import Crowd, thread_count
from corral_llama_cpp.native.backend import LlamaBackend
from corral_llama_cpp.native.context import FULL_CACHE, Context
from corral_llama_cpp.native.cores import Cores
from corral_llama_cpp.native.devices import Devices
from corral_llama_cpp.native.drafting import DraftModel, check_vocabularies
from corral_llama_cpp.native.embedding import Embedder
from corral_llama_cpp.native.log import Log
from corral_llama_cpp.native.model import Model
from corral_llama_cpp.wire import Loaded as LoadedInfo
from corral_llama_cpp.wire import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from corral.errors import CorralError
    from corral_llama_cpp.wire import Load

#: Sequences for finished answers whose prefix may be asked for again, beyond one per slot, and for inputs to embed.
_IDLE_SEQUENCES = 8
_EMBED_SEQUENCES = 16
#: Bytes of weights that are read while one head of one layer passes over a hundred cells of somebody else (measured on a CPU):
#: with one cell for as many bytes, idle cells cost a percent of a step. What must leave is parked.
_BYTES_PER_IDLE_CELL = 2800
#: With so many times as many cells in use, a block of 64 rows that passes over all of them takes as long as the weights do.
_APART = 2
#: Fewer tokens are computed again sooner than a copy of the state would be worth its memory and a batch cut in two.
_SPACING = 32
#: Seconds between two looks at who else wants the cores; a look costs 20 us, which a small model's step can feel.
_LOOK_S = 0.05
#: The library's own limit.
_MOST_SEQUENCES = 256


@dataclass(slots=True)
class Loaded:
    """One loaded model and all that serves it."""

    load: Load
    #: The library calls it for as long as it is used.
    log: Log
    model: Model
    context: Context
    devices: Devices
    embedder: Embedder
    draft_model: DraftModel | None
    cores: Cores
    crowd: Crowd
    info: LoadedInfo
    sequences: int
    threads: int
    _looks_at: float = field(default=0.0, init=False)

    def engine(self, fail: Callable[[int, CorralError], None]) -> Engine:
        """Return an engine on this model's context."""
        backend = LlamaBackend(self.model, self.context, self.load.context_tokens, self.draft_model)
        idle_cells = self.model.weight_bytes // (self.model.attention_heads * _BYTES_PER_IDLE_CELL)
        return Engine(
            backend,
            slots=self.load.parallel,
            sequences=self.sequences,
            idle_cells=idle_cells,
            parking_bytes=self.load.parking_bytes,
            spacing=_SPACING,
            apart_cells=math.inf if self.load.gpu_layers else _APART * idle_cells,
            fail=fail,
        )

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count as busy inside the block, and see who else is from now on."""
        self.crowd.begin()
        self._looks_at = 0.0
        with self.cores.busy():
            yield

    def share_cores(self) -> None:
        """Use as many threads as are this process's share of the cores; look for others now and then."""
        now = perf_counter()
        if now < self._looks_at:
            return
        self._looks_at = now + _LOOK_S
        self.crowd.look()
        threads = thread_count(most=self.load.threads, cores=_core_count(), runners=self.cores.count_busy(), others=self.crowd.others)
        if threads != self.threads:
            self.context.set_threads(threads)
            if self.draft_model is not None:
                self.draft_model.set_threads(threads)
            self.threads = threads

    def free_bytes(self) -> dict[str, int]:
        """Return the free memory of the devices in use."""
        return {share.name: self.devices.free_bytes(share.name) for share in self.load.shares}


def load_model(load: Load, progress: Callable[[float], None], beat: Callable[[], None]) -> Loaded:
    """Load a model as asked; raise LoadFailed with the library's reason. `beat` is called after each batch it evaluates."""
    started = perf_counter()
    log = Log()
    ll.llama_backend_init()
    devices = Devices()
    model = Model(load.path, load, devices, log, progress)
    generating = 0 if load.is_embedding else min(2 * load.parallel + _IDLE_SEQUENCES, _MOST_SEQUENCES - _EMBED_SEQUENCES)
    context = Context(model, load, generating + _EMBED_SEQUENCES, log, beat)
    draft_model = _draft_model(load, model, devices, log, beat) if load.draft else None
    limits = {"limit": load.context_tokens, "first": generating, "sequences": _EMBED_SEQUENCES}
    return Loaded(
        load=load,
        log=log,
        model=model,
        context=context,
        devices=devices,
        embedder=Embedder(context, model, **limits),
        draft_model=draft_model,
        cores=Cores(load.neighbours),
        crowd=Crowd(),
        info=_info(load, model, draft_model, log, perf_counter() - started),
        sequences=generating,
        threads=load.threads,
    )


def _core_count() -> int:
    # Where the system can't say which cores this process may use, it may use all of them.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _draft_model(load: Load, model: Model, devices: Devices, log: Log, beat: Callable[[], None]) -> DraftModel | None:
    """Load the draft model; None where nothing can be guessed, for what was guessed wrong could not be taken back."""
    draft = msgspec.structs.replace(load, path=load.draft, adapters=())
    small = Model(draft.path, draft, devices, log, lambda _: None)
    check_vocabularies(model.vocabulary, small.vocabulary)
    if not (model.cut.can_undo and small.cut.can_undo):
        small.close()
        return None
    context = Context(small, draft, draft.parallel, log, beat)
    return DraftModel(context, small.vocabulary, slots=draft.parallel, context_tokens=draft.context_tokens)


def _info(load: Load, model: Model, draft_model: DraftModel | None, log: Log, seconds: float) -> LoadedInfo:
    return LoadedInfo(
        context_tokens=load.context_tokens,
        slots=load.parallel,
        embedding_length=model.width,
        memory=dict(log.buffer_bytes),
        load_s=seconds,
        notes=_notes(load, model, draft_model),
    )


def _notes(load: Load, model: Model, draft_model: DraftModel | None) -> tuple[Note, ...]:
    notes = []
    if load.draft and draft_model is None:
        ignored = "the draft model is not asked: a recurrent model, as this one or the draft is, can't take back what was guessed wrong"
        notes.append(Note("draft_ignored", ignored))
    trained = int(ll.llama_model_n_ctx_train(model.pointer))
    if load.context_tokens > trained:
        longer = f"the context of {load.context_tokens} tokens is longer than the {trained} that the model was trained on"
        notes.append(Note("context_beyond_training", longer))
    if load.flash_attention is False and (load.cache_type_k, load.cache_type_v) != (FULL_CACHE, FULL_CACHE):
        notes.append(Note("cache_type_ignored", "a quantised cache needs flash attention, which is switched off; f16 is used"))
    return tuple(notes)
