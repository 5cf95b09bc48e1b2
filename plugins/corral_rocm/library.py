"""AMD GPUs as AMD's management library (amdsmi) sees them, where it is installed."""

from __future__ import annotations

import ctypes
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from corral.discovery.identity import normal_pci_id
from corral_rocm.gpu import Gpu

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Answer = TypeVar("Answer")
Rest = TypeVar("Rest")

_NAME = "libamd_smi.so"


def ask_library() -> list[Gpu]:
    """Return the GPUs that amdsmi lists; an empty list without its library, and when it fails."""
    if not _can_load():
        # Importing amdsmi without its library prints to stdout and raises KeyError.
        return []
    try:
        import amdsmi
    except Exception:  # noqa: BLE001 - it raises AttributeError or KeyError for a library of another version
        return []
    try:
        amdsmi.amdsmi_init()
    except amdsmi.AmdSmiException:
        return []
    try:
        return list(_gpus())
    finally:
        _ask(amdsmi.amdsmi_shut_down, None)


def _gpus() -> Iterator[Gpu]:
    import amdsmi

    no_handles: list[object] = []
    for handle in _ask(amdsmi.amdsmi_get_processor_handles, no_handles):
        gpu = _describe(handle)
        # What can't be told apart can't be joined with what the kernel says.
        if gpu.pci_id:
            yield gpu


def _describe(handle: object) -> Gpu:
    import amdsmi

    nothing: dict[str, str] = {}
    asic = _ask(lambda: amdsmi.amdsmi_get_gpu_asic_info(handle), nothing)
    driver = _ask(lambda: amdsmi.amdsmi_get_gpu_driver_info(handle), nothing)
    kinds = amdsmi.AmdSmiMemoryType
    return Gpu(
        pci_id=normal_pci_id(_ask(lambda: str(amdsmi.amdsmi_get_gpu_device_bdf(handle)), "")),
        name=_known(asic.get("market_name")),
        uuid=_uuid(_known(asic.get("asic_serial"))),
        gfx=_gfx(_known(asic.get("target_graphics_version"))),
        driver=_known(driver.get("driver_version")),
        vram_total=_ask(lambda: int(amdsmi.amdsmi_get_gpu_memory_total(handle, kinds.VRAM)), None) or None,
        vram_used=_ask(lambda: int(amdsmi.amdsmi_get_gpu_memory_usage(handle, kinds.VRAM)), None),
        gtt_total=_ask(lambda: int(amdsmi.amdsmi_get_gpu_memory_total(handle, kinds.GTT)), None),
        gtt_used=_ask(lambda: int(amdsmi.amdsmi_get_gpu_memory_usage(handle, kinds.GTT)), None),
    )


def _can_load() -> bool:
    return any(_loads(location) for location in _locations())


def _locations() -> Iterator[str]:
    """Yield where amdsmi looks for its library."""
    spec = find_spec("amdsmi")
    if spec is None or spec.origin is None:
        return
    if rocm := os.environ.get("ROCM_HOME") or os.environ.get("ROCM_PATH"):
        yield str(Path(rocm) / "lib" / _NAME)
    yield _NAME
    yield str(Path(spec.origin).parent / _NAME)
    yield str(Path("/opt/rocm/lib") / _NAME)


def _loads(location: str) -> bool:
    try:
        ctypes.CDLL(location)
    except OSError:
        return False
    return True


def _known(text: str | None) -> str:
    return "" if text is None or text == "N/A" else text


def _uuid(serial: str) -> str | None:
    # ROCm makes its UUID of the serial number; amdsmi's own UUID is another one that selects nothing.
    return f"GPU-{serial.removeprefix('0x').lower()}" if int(serial or "0", 16) else None


def _gfx(name: str) -> str:
    return name if name != "gfx0" else ""


def _ask(call: Callable[[], Answer], otherwise: Rest) -> Answer | Rest:
    """Return one fact, or something else when the library does not know it, or knows nonsense."""
    import amdsmi

    try:
        return call()
    except (amdsmi.AmdSmiException, ValueError):
        return otherwise
