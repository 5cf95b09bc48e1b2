"""ggml's devices by ctypes, in a child that may crash: list them, and compute a little on one."""

from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, Structure, byref, c_bool, c_char_p, c_float, c_int, c_int64, c_size_t, c_void_p
from importlib.util import find_spec
from pathlib import Path

from corral.errors import Unsupported
from corral_llama_cpp.probe_wire import Listed

#: Names of ggml's registries where corral has another word.
_BACKENDS = {"CPU": "cpu", "MTL": "Metal", "HIP": "ROCm"}
_VALUES = 64


class _Properties(Structure):
    # The capabilities after the device id have grown before; room is left for more, and only what is before them is read.
    _fields_ = [
        ("name", c_char_p),
        ("description", c_char_p),
        ("free", c_size_t),
        ("total", c_size_t),
        ("type", c_int),
        ("device_id", c_char_p),
        ("capabilities", c_bool * 128),
    ]


class _ContextParameters(Structure):
    _fields_ = [("mem_size", c_size_t), ("mem_buffer", c_void_p), ("no_alloc", c_bool)]


class Ggml:
    """The ggml of one llama.cpp build. Its symbols are split over two libraries."""

    def __init__(self, folder: Path) -> None:
        self._base = ctypes.CDLL(str(folder / "libggml-base.so"), mode=ctypes.RTLD_GLOBAL)
        self._registry = ctypes.CDLL(str(folder / "libggml.so"), mode=ctypes.RTLD_GLOBAL)
        self._declare()
        if not self._registry.ggml_backend_dev_count():
            # A build that keeps its backends in separate files registers none of them by itself.
            self._registry.ggml_backend_load_all_from_path(os.fsencode(folder))

    def list_devices(self) -> list[Listed]:
        """Return every device, numbered within its backend."""
        counts: dict[str, int] = {}
        listed = []
        for index in range(self._registry.ggml_backend_dev_count()):
            device = self._listed(self._registry.ggml_backend_dev_get(index), counts)
            counts[device.backend] = device.ordinal + 1
            listed.append(device)
        return listed

    def compute_on(self, name: str) -> None:
        """Initialise a device and double a few numbers on it; raise Unsupported when the result is wrong."""
        device = self._registry.ggml_backend_dev_by_name(name.encode())
        backend = self._base.ggml_backend_dev_init(device, None) if device else None
        if not backend:
            raise Unsupported(f"{name} can't be initialised")
        try:
            self._double(name, backend)
        finally:
            self._base.ggml_backend_free(backend)

    def _listed(self, device: int, counts: dict[str, int]) -> Listed:
        properties = _Properties()
        self._base.ggml_backend_dev_get_props(device, byref(properties))
        registry = _text(self._base.ggml_backend_reg_name(self._base.ggml_backend_dev_backend_reg(device)))
        backend = _BACKENDS.get(registry, registry)
        return Listed(
            ordinal=counts.get(backend, 0),
            backend=backend,
            name=_text(properties.name),
            description=_text(properties.description),
            type=properties.type,
            pci_id=_text(properties.device_id).lower() or None,
            free_bytes=properties.free,
            total_bytes=properties.total,
        )

    def _double(self, name: str, backend: int) -> None:
        base = self._base
        context = base.ggml_init(_ContextParameters(1 << 20, None, True))
        values = base.ggml_new_tensor_1d(context, 0, _VALUES)
        doubled = base.ggml_add(context, values, values)
        graph = base.ggml_new_graph(context)
        base.ggml_build_forward_expand(graph, doubled)
        buffer = base.ggml_backend_alloc_ctx_tensors(context, backend)
        if not buffer:
            raise Unsupported(f"{name} has no memory left")
        numbers = (c_float * _VALUES)(*range(_VALUES))
        base.ggml_backend_tensor_set(values, numbers, 0, ctypes.sizeof(numbers))
        status = base.ggml_backend_graph_compute(backend, graph)
        base.ggml_backend_tensor_get(doubled, numbers, 0, ctypes.sizeof(numbers))
        base.ggml_backend_buffer_free(buffer)
        base.ggml_free(context)
        if status != 0 or list(numbers) != [2.0 * number for number in range(_VALUES)]:
            raise Unsupported(f"{name} computes wrong results (status {status})")

    def _declare(self) -> None:
        registry, base = self._registry, self._base
        _sign(registry, "ggml_backend_dev_count", c_size_t)
        _sign(registry, "ggml_backend_dev_get", c_void_p, c_size_t)
        _sign(registry, "ggml_backend_dev_by_name", c_void_p, c_char_p)
        _sign(registry, "ggml_backend_load_all_from_path", None, c_char_p)
        _sign(base, "ggml_backend_dev_get_props", None, c_void_p, POINTER(_Properties))
        _sign(base, "ggml_backend_dev_backend_reg", c_void_p, c_void_p)
        _sign(base, "ggml_backend_reg_name", c_char_p, c_void_p)
        _sign(base, "ggml_backend_dev_init", c_void_p, c_void_p, c_char_p)
        _sign(base, "ggml_backend_free", None, c_void_p)
        _sign(base, "ggml_init", c_void_p, _ContextParameters)
        _sign(base, "ggml_free", None, c_void_p)
        _sign(base, "ggml_new_tensor_1d", c_void_p, c_void_p, c_int, c_int64)
        _sign(base, "ggml_add", c_void_p, c_void_p, c_void_p, c_void_p)
        _sign(base, "ggml_new_graph", c_void_p, c_void_p)
        _sign(base, "ggml_build_forward_expand", None, c_void_p, c_void_p)
        _sign(base, "ggml_backend_alloc_ctx_tensors", c_void_p, c_void_p, c_void_p)
        _sign(base, "ggml_backend_buffer_free", None, c_void_p)
        _sign(base, "ggml_backend_tensor_set", None, c_void_p, c_void_p, c_size_t, c_size_t)
        _sign(base, "ggml_backend_tensor_get", None, c_void_p, c_void_p, c_size_t, c_size_t)
        _sign(base, "ggml_backend_graph_compute", c_int, c_void_p, c_void_p)


def library_folder() -> Path:
    """Return where llama_cpp keeps its libraries, without importing it; raise Unsupported when it is not installed."""
    if override := os.environ.get("LLAMA_CPP_LIB_PATH"):
        return Path(override)
    spec = find_spec("llama_cpp")
    if spec is None or not spec.submodule_search_locations:
        raise Unsupported("llama-cpp-python is not installed (try: pip install llama-cpp-python)")
    return Path(spec.submodule_search_locations[0]) / "lib"


def _sign(library: ctypes.CDLL, name: str, result: type | None, *arguments: type) -> None:
    function = getattr(library, name)
    function.restype = result
    function.argtypes = arguments


def _text(raw: bytes | None) -> str:
    return raw.decode(errors="replace") if raw else ""
