"""llama.cpp's RPC library: connect to a server, and be one. For children only; the library aborts when something is wrong."""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_size_t, c_void_p
from typing import TYPE_CHECKING

from corral.errors import LoadFailed
from corral_llama_cpp.probe_ggml import Ggml, library_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_BUILD = "CMAKE_ARGS=-DGGML_RPC=ON pip install --no-cache-dir --force-reinstall --no-binary llama-cpp-python llama-cpp-python"


class Rpc:
    """The RPC library of the installed llama.cpp; raises LoadFailed when it was built without."""

    def __init__(self) -> None:
        folder = library_folder()
        self.ggml = Ggml(folder)
        self._rpc = _load(folder / "libggml-rpc.so")
        self._rpc.ggml_backend_rpc_add_server.restype = c_void_p
        self._rpc.ggml_backend_rpc_add_server.argtypes = [c_char_p]
        self._rpc.ggml_backend_rpc_start_server.restype = None
        self._rpc.ggml_backend_rpc_start_server.argtypes = [c_char_p, c_char_p, c_size_t, c_size_t, ctypes.POINTER(c_void_p)]
        self._registry = _load(folder / "libggml.so")
        self._registry.ggml_backend_register.restype = None
        self._registry.ggml_backend_register.argtypes = [c_void_p]
        self._registry.ggml_backend_dev_by_name.restype = c_void_p
        self._registry.ggml_backend_dev_by_name.argtypes = [c_char_p]

    def connect(self, endpoints: Iterable[str]) -> None:
        """Add the devices of servers to this process's, numbered in this order."""
        for endpoint in endpoints:
            server = self._rpc.ggml_backend_rpc_add_server(endpoint.encode())
            if not server:
                raise LoadFailed(f"the RPC server {endpoint} has no device")
            self._registry.ggml_backend_register(server)

    def serve(self, endpoint: str, device: str, threads: int) -> None:
        """Lend a device of this machine, until the process ends."""
        found = self._registry.ggml_backend_dev_by_name(device.encode())
        if not found:
            raise LoadFailed(f"there is no device '{device}' to lend")
        self._rpc.ggml_backend_rpc_start_server(endpoint.encode(), None, threads, 1, (c_void_p * 1)(found))


def _load(path: Path) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise LoadFailed(f"this llama-cpp-python was built without RPC ({error}); build it with: {_BUILD}") from error
