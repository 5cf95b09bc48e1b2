"""The processor and its memory, with the limits of the control group that corral runs in."""

from __future__ import annotations

from corral import API_VERSION, Capabilities, Device, hookimpl


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the device backend `cpu`."""
    return Capabilities(api_version=API_VERSION, device_backends=("cpu",), quick_devices=True)


@hookimpl
def discover_devices() -> list[Device]:
    """Return the one device that is always there."""
    from corral_cpu.device import host_device

    return [host_device()]
