"""What a placement means to llama.cpp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.options import LoadOptions
from corral_llama_cpp.wire import DeviceShare, Load

if TYPE_CHECKING:
    from corral.devices import Placement
    from corral.settings import Settings
    from corral.spec import ModelSpec


def load_request(model: ModelSpec, placement: Placement, settings: Settings) -> Load:
    """Return what the runner's process is told to load."""
    options = model.load or LoadOptions()
    flash_attention = _flash_attention(placement, options)
    return Load(
        path=str(model.path),
        context_tokens=placement.context_tokens,
        parallel=placement.parallel,
        batch_tokens=min(placement.batch_tokens, placement.context_tokens),
        threads=placement.threads,
        gpu_layers=placement.gpu_layers,
        shares=tuple(DeviceShare(share.device.name, share.layers) for share in placement.shares),
        main_gpu=0 if options.main_gpu is not None and placement.shares else None,
        use_mmap=placement.use_mmap,
        flash_attention=flash_attention,
        cache_type_k=_cache_type(options.cache_type_k, flash_attention),
        cache_type_v=_cache_type(options.cache_type_v, flash_attention),
        adapters=tuple(str(adapter) for adapter in model.adapters),
        draft=str(model.draft or ""),
        is_embedding=model.facts.is_embedding,
        neighbours=str(settings.home / "run" / "busy-runners"),
    )


def environment(placement: Placement) -> dict[str, str]:
    """Return the variables that make the process see the devices of its placement only.

    Devices of several vendors are not narrowed: one vendor's variable would hide the others' devices from the library.
    """
    variables: dict[str, str] = {}
    for share in placement.shares:
        variables.update(share.device.environment)
    if len({share.device.backend for share in placement.shares}) == 1:
        variables.update(_joined([dict(share.device.visibility) for share in placement.shares]))
    return variables


def _joined(parts: list[dict[str, str]]) -> dict[str, str]:
    return {name: ",".join(part[name] for part in parts if name in part) for name in parts[0]}


def _flash_attention(placement: Placement, options: LoadOptions) -> bool | None:
    return placement.flash_attention if options.flash_attention is None else options.flash_attention


def _cache_type(wanted: str, flash_attention: bool | None) -> str:
    # A quantised cache needs flash attention; with it switched off on purpose the full one is used.
    return "f16" if flash_attention is False else wanted
