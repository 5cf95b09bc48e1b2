"""Whether a loaded runner serves a request as it is, or must be loaded again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.options import LoadOptions
from corral.placement import smallest_automatic_context, usable_context

if TYPE_CHECKING:
    from corral.devices import Placement
    from corral.spec import ModelSpec


def same_demand(one: ModelSpec, other: ModelSpec) -> bool:
    """Return whether two requests want exactly the same runner."""
    return _files(one) == _files(other) and (one.load or LoadOptions()) == (other.load or LoadOptions())


def same_try(one: Placement, other: Placement | None) -> bool:
    """Return whether two placements would load a model in the same way, however much memory was free when they were made."""
    return other is not None and _as_loaded(one) == _as_loaded(other)


def _as_loaded(placement: Placement) -> tuple[object, ...]:
    layers = tuple((share.device.key, share.layers) for share in placement.shares)
    caches = (placement.cache_type_k, placement.cache_type_v)
    return (layers, placement.output_on_host, placement.context_tokens, placement.parallel, placement.batch_tokens, caches)


def why_reload(wanted: ModelSpec, loaded: ModelSpec, placement: Placement) -> str:
    """Return which option of a request the loaded runner can't serve; empty when it serves them all.

    Values left to corral match whatever it chose; explicit ones are compared after clamping, with what was asked for
    at load time and with what came of it. Otherwise a request that can't be met would reload the model for ever.
    """
    if _files(wanted) != _files(loaded):
        return "files"
    want, had = wanted.load or LoadOptions(), loaded.load or LoadOptions()
    checks = {
        "num_ctx": _context_differs(wanted, want, had, placement),
        "num_gpu": want.num_gpu >= 0 and _layers(want, placement) not in (_layers(had, placement), placement.gpu_layers),
        "num_batch": _differs(want.num_batch, had.num_batch, placement.batch_tokens),
        "num_thread": _differs(want.num_thread or None, had.num_thread, placement.threads),
        "num_parallel": _differs(want.num_parallel, had.num_parallel, placement.parallel),
        "main_gpu": _differs(want.main_gpu, had.main_gpu, None),
        "device": bool(want.device) and want.device != had.device,
        "use_mmap": _differs(want.use_mmap, had.use_mmap, placement.use_mmap),
        "flash_attention": _differs(want.flash_attention, had.flash_attention, placement.flash_attention),
        "cache_type_k": _differs(want.cache_type_k, had.cache_type_k, placement.cache_type_k),
        "cache_type_v": _differs(want.cache_type_v, had.cache_type_v, placement.cache_type_v),
    }
    return next((name for name, differs in checks.items() if differs), "")


def _files(model: ModelSpec) -> tuple[object, ...]:
    return (model.path, model.projector, model.adapters, model.draft, model.runner.name)


def _differs(wanted: object, asked_for: object, came_of_it: object) -> bool:
    return wanted is not None and wanted != asked_for and wanted != came_of_it


def _context_differs(model: ModelSpec, want: LoadOptions, had: LoadOptions, placement: Placement) -> bool:
    if want.num_ctx is not None:
        return usable_context(want.num_ctx, model) != placement.context_tokens
    # A context that somebody else chose must not silently be smaller than what anybody gets.
    return had.num_ctx is not None and placement.context_tokens < smallest_automatic_context(model)


def _layers(options: LoadOptions, placement: Placement) -> int:
    return min(options.num_gpu, placement.total_layers)
