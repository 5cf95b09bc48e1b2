"""Find the library's devices by name, and how much memory they have left."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from corral.errors import LoadFailed
from corral_llama_cpp.probe_ggml import library_folder

if TYPE_CHECKING:
    from collections.abc import Sequence


class Override(ctypes.Structure):
    """Which memory the tensors whose names match a pattern go to; the Python package leaves this struct out."""

    _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))


class Devices:
    """The devices of the ggml library that this process has loaded; the Python package has no names for these calls."""

    def __init__(self) -> None:
        folder = library_folder()
        self._registry = ctypes.CDLL(str(folder / "libggml.so"))
        self._registry.ggml_backend_dev_by_name.restype = ctypes.c_void_p
        self._registry.ggml_backend_dev_by_name.argtypes = [ctypes.c_char_p]
        self._devices = ctypes.CDLL(str(folder / "libggml-base.so"))
        self._devices.ggml_backend_cpu_buffer_type.restype = ctypes.c_void_p
        self._devices.ggml_backend_dev_memory.restype = None
        self._devices.ggml_backend_dev_memory.argtypes = [ctypes.c_void_p] + [ctypes.POINTER(ctypes.c_size_t)] * 2

    def array(self, names: Sequence[str]) -> ctypes.Array[ctypes.c_void_p]:
        """Return the NULL-terminated array of devices, in that order; raise LoadFailed for one that is not there."""
        found = [self._find(name) for name in names]
        return (ctypes.c_void_p * (len(found) + 1))(*found, None)

    def on_host(self, patterns: Sequence[str]) -> ctypes.Array[Override]:
        """Return the NULL-terminated array of overrides that keep matching tensors in the host's memory."""
        host = self._devices.ggml_backend_cpu_buffer_type()
        return (Override * (len(patterns) + 1))(*(Override(pattern.encode(), host) for pattern in patterns))

    def free_bytes(self, name: str) -> int:
        """Return the free memory of a device."""
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        self._devices.ggml_backend_dev_memory(self._find(name), ctypes.byref(free), ctypes.byref(total))
        return free.value

    def _find(self, name: str) -> int:
        device = self._registry.ggml_backend_dev_by_name(name.encode())
        if not device:
            raise LoadFailed(f"the runner sees no device '{name}'")
        return int(device)
