"""Devices of other processes and machines, over llama.cpp's RPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral import API_VERSION, Absent, Capabilities, Device, Variable, hookimpl

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from corral import ModelSpec, Placement, Runner, Settings


VARIABLES = (
    Variable(name="CORRAL_RPC_SERVERS", summary="servers to use, host:port or host:port=MiB, separated by commas"),
    Variable(name="CORRAL_RPC_ALLOW", summary="those of them that may be on other machines, separated by commas"),
)


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the device backend `RPC` and the runner that can use it."""
    return Capabilities(api_version=API_VERSION, device_backends=("RPC",), runners=("llama-cpp-rpc",), variables=VARIABLES)


@hookimpl
def discover_devices(settings: Settings) -> list[Device | Absent]:
    """Return the devices of the servers that CORRAL_RPC_SERVERS names."""
    from corral_rpc.probe import discover

    return discover(settings)


@hookimpl
def spawn_runner(model: ModelSpec, placement: Placement, settings: Settings) -> AbstractAsyncContextManager[Runner]:
    """Return corral's llama.cpp runner, in a child that connects to the servers first."""
    from corral_llama_cpp.runner import open_runner

    return open_runner(model, placement, settings, child="corral_rpc.child")
