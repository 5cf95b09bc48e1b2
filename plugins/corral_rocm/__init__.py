"""AMD GPUs as their driver sees them: memory that can be trusted, gfx targets, integrated or not."""

from __future__ import annotations

from corral import API_VERSION, Absent, Capabilities, Device, hookimpl


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the device backend `ROCm`."""
    return Capabilities(api_version=API_VERSION, device_backends=("ROCm",), quick_devices=True)


@hookimpl
def discover_devices() -> list[Device | Absent]:
    """Return the GPUs that the driver lists; without hardware nothing but the reason."""
    from corral_rocm.devices import discover

    return discover()
