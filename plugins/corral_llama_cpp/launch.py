"""What a placement means to llama.cpp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.discovery.visibility import environment_for, names_in_child
from corral.options import LoadOptions
from corral_llama_cpp.wire import DeviceShare, Load

if TYPE_CHECKING:
    from corral.devices import Placement
    from corral.settings import Settings
    from corral.spec import ModelSpec


def load_request(model: ModelSpec, placement: Placement, settings: Settings) -> Load:
    """Return what the runner's process is told to load."""
    options = model.load or LoadOptions()
    layers = _layers(placement)
    names = names_in_child([share.device for share in placement.shares])
    return Load(
        path=str(model.path),
        context_tokens=placement.context_tokens,
        parallel=placement.parallel,
        batch_tokens=min(placement.batch_tokens, placement.context_tokens),
        threads=placement.threads,
        gpu_layers=sum(layers),
        shares=tuple(DeviceShare(name, count) for name, count in zip(names, layers, strict=True)),
        output_on_host=placement.output_on_host,
        main_gpu=0 if options.main_gpu is not None and placement.shares else None,
        use_mmap=placement.use_mmap,
        flash_attention=placement.flash_attention if options.flash_attention is None else options.flash_attention,
        cache_type_k=options.cache_type_k,
        cache_type_v=options.cache_type_v,
        adapters=tuple(str(adapter) for adapter in model.adapters),
        draft=str(model.draft or ""),
        is_embedding=model.facts.is_embedding,
        parking_bytes=placement.parking_bytes,
        neighbours=str(settings.home / "run" / "busy-runners"),
    )


def _layers(placement: Placement) -> list[int]:
    """Return the layers of each device as llama.cpp counts them: for it the last device always has the output layer too."""
    layers = [share.layers for share in placement.shares]
    if placement.output_on_host:
        layers[-1] += 1
    return layers


def environment(placement: Placement) -> dict[str, str]:
    """Return the variables that make the process see the devices of its placement only."""
    # When ggml aborts it would start a debugger, whose output buries the reason.
    return {"GGML_NO_BACKTRACE": "1", **environment_for([share.device for share in placement.shares])}
