"""Open NVIDIA's management library (NVML), or say what keeps it shut."""

from __future__ import annotations

import ctypes
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from corral.errors import CorralError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIBRARY = "libnvidia-ml.so.1"
#: Under WSL 2 the library of the Windows driver is the one that works; a Linux driver beside it only finds no device.
_WSL_LIBRARY = Path("/usr/lib/wsl/lib") / _LIBRARY

_HELP = {
    "DriverNotLoaded": "load the driver: modprobe nvidia",
    "LibRmVersionMismatch": "the driver was updated while it was in use; reboot, or reload its modules",
    "LibraryNotFound": "install the NVIDIA driver; in a container, start it with --gpus all",
    "NoPermission": "let this user open /dev/nvidia*",
}


class NoDriver(CorralError):
    """The driver can't be asked; `remedy` is what would help."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@contextmanager
def open_driver(wsl_library: Path = _WSL_LIBRARY) -> Iterator[None]:
    """Keep NVML open; raise NoDriver when there is nothing to open."""
    try:
        import pynvml
    except ImportError as error:
        raise NoDriver(f"pynvml can't be imported: {error}", "pip install nvidia-ml-py") from error
    _prefer(wsl_library)
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise NoDriver(_describe(error), help_for(error)) from error
    try:
        yield
    finally:
        pynvml.nvmlShutdown()


def help_for(error: Exception) -> str:
    """Return what helps against an error of NVML; empty when nobody knows."""
    return _HELP.get(type(error).__name__.removeprefix("NVMLError_"), "")


def _describe(error: Exception) -> str:
    if type(error).__name__ == "NVMLError_LibraryNotFound":
        return f"there is no NVIDIA driver ({_LIBRARY} can't be loaded)"
    return f"the NVIDIA driver does not answer: {error}"


def _prefer(library: Path) -> None:
    # A library that is loaded already is taken before any other of the same name, so pynvml gets this one.
    if library.exists():
        try:
            ctypes.CDLL(str(library))
        except OSError as error:
            raise NoDriver(f"{library} can't be loaded: {error}", "update the NVIDIA driver of Windows, and WSL") from error
