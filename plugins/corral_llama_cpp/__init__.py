"""Run GGUF models with llama.cpp, and see the devices it can use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from corral.devices import Absent, Device, Placement
    from corral.runners import Runner
    from corral.settings import Settings
    from corral.spec import ModelSpec


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the runner `llama-cpp`."""
    return Capabilities(api_version=API_VERSION, runners=("llama-cpp",))


@hookimpl
def discover_devices(settings: Settings) -> list[Device | Absent]:
    """Return the devices that llama.cpp sees, asked in a process of its own."""
    from corral_llama_cpp.probe import devices

    return devices(settings)


@hookimpl
def spawn_runner(model: ModelSpec, placement: Placement, settings: Settings) -> AbstractAsyncContextManager[Runner]:
    """Return a context manager that loads a model and yields its runner."""
    from corral_llama_cpp.runner import open_runner

    return open_runner(model, placement, settings)
