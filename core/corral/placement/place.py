"""Decide where a model goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.devices import DeviceKind, Placement
from corral.options import LoadOptions
from corral.placement.effective import smallest_automatic_context, usable_context
from corral.placement.verdict import HOST, Shortage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.devices import Device
    from corral.placement.footprint import Footprint
    from corral.placement.verdict import Conditions, Verdict
    from corral.settings import Settings
    from corral.spec import ModelSpec

_MIB = 1024 * 1024


def place(model: ModelSpec, footprint: Footprint, devices: Sequence[Device], settings: Settings, conditions: Conditions) -> Verdict:
    """Return where the model goes, or the shortage that stands against it."""
    options = model.load or LoadOptions()
    context = usable_context(options.num_ctx, model) if options.num_ctx else smallest_automatic_context(model)
    parallel = options.num_parallel or (1 if model.facts.is_embedding or conditions.reduced else 4)
    batch = min(options.num_batch or (2048 if model.facts.is_embedding else 512), context)
    caches = footprint.layer_caches(context * parallel, parallel, (options.cache_type_k, options.cache_type_v))
    compute = batch * (footprint.vocabulary_size + 2 * footprint.embedding_length) * 4
    needed = footprint.input_bytes + sum(footprint.layer_weights()) - footprint.tied_bytes + sum(caches) + compute
    needed += footprint.projector_bytes + conditions.corrections.get("CPU", 0)
    host = next((d for d in devices if d.kind is DeviceKind.CPU), None)
    free = host.free_bytes if host else None
    if host and free is not None:
        total = host.total_bytes or free
        free = max(0, min(free, total - conditions.taken.get(HOST, 0)))
        if needed > free:
            reason = f"{model.name} requires more memory ({needed // _MIB} MiB) than is available ({free // _MIB} MiB)"
            return Shortage(reason=reason, required_bytes=needed, available_bytes=free)
    return Placement(
        shares=(),
        total_layers=footprint.total_layers,
        host_bytes=needed,
        context_tokens=context,
        parallel=parallel,
        batch_tokens=batch,
        threads=options.num_thread or int((host.facts if host else {}).get("recommended_threads", "1")),
        flash_attention=options.flash_attention,
        use_mmap=options.use_mmap is not False,
        cache_type_k=options.cache_type_k,
        cache_type_v=options.cache_type_v,
    )
