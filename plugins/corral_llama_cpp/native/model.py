"""Load a model and its adapters as they were placed."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, cast

import llama_cpp.llama_cpp as ll

from corral.errors import LoadFailed
from corral_llama_cpp.engine.seams import Cut
from corral_llama_cpp.native.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

    from corral_llama_cpp.native.devices import Devices
    from corral_llama_cpp.native.log import Log
    from corral_llama_cpp.wire import Load

#: llama.cpp's enum values that the Python package does not name.
_SPLIT_NONE, _SPLIT_LAYER = 0, 1
_LOAD_PLAIN, _LOAD_MMAP = 0, 1

#: The output layer's weights; those that are tied to the embeddings have their name.
_OUTPUT = (r"^output\.weight$", r"^token_embd\.weight$")


class Model:
    """The weights of one model; `close` frees them."""

    def __init__(self, path: str, load: Load, devices: Devices, log: Log, progress: Callable[[float], None]) -> None:
        # The library keeps bare pointers to these while it loads.
        callback = ll.llama_progress_callback(lambda fraction, _: _report(progress, fraction))
        params = _params(load)
        array = devices.array([share.name for share in load.shares])
        overrides = devices.on_host(_OUTPUT)
        split = (ctypes.c_float * int(ll.llama_max_devices()))(*(share.layers for share in load.shares))
        if load.shares:
            params.devices = cast("ctypes.Array[ctypes.c_void_p]", ctypes.cast(array, ctypes.c_void_p))
            params.tensor_split = split
        if load.output_on_host:
            params.tensor_buft_overrides = cast("ctypes.Array[ctypes.c_void_p]", ctypes.cast(overrides, ctypes.c_void_p))
        params.progress_callback = callback
        self.pointer = ll.llama_model_load_from_file(path.encode(), params)
        if not self.pointer:
            raise LoadFailed(f"the model can't be loaded: {log.last_lines() or 'llama.cpp gives no reason'}")
        self.vocabulary = Vocabulary(self.pointer)
        self.adapters = [self._adapter(adapter, log) for adapter in load.adapters]

    @property
    def width(self) -> int:
        """Return the length of an embedding."""
        return int(ll.llama_model_n_embd_out(self.pointer))

    @property
    def classes(self) -> int:
        """Return how many figures the head of a model that ranks gives."""
        return int(ll.llama_model_n_cls_out(self.pointer))

    @property
    def weight_bytes(self) -> int:
        """Return the size of all weights."""
        return int(ll.llama_model_size(self.pointer))

    @property
    def attention_heads(self) -> int:
        """Return how many heads all layers have together; one where the model does not say."""
        return max(int(ll.llama_model_n_head(self.pointer)) * int(ll.llama_model_n_layer(self.pointer)), 1)

    @property
    def architecture(self) -> str:
        """Return what kind of model it is."""
        buffer = ctypes.create_string_buffer(64)
        ll.llama_model_meta_val_str(self.pointer, b"general.architecture", buffer, len(buffer))
        return buffer.value.decode()

    def template(self, name: str) -> str:
        """Return the template that the file has by a name; empty when it has none."""
        found = ll.llama_model_chat_template(self.pointer, name.encode())
        return found.decode("utf-8", "replace") if found else ""

    @property
    def window(self) -> int:
        """Return how many tokens a layer with a sliding window looks back; 0 when all layers see everything."""
        return int(ll.llama_model_n_swa(self.pointer))

    @property
    def cut(self) -> Cut:
        """Return where the memory of a sequence can be cut."""
        is_stateful = bool(ll.llama_model_is_recurrent(self.pointer) or ll.llama_model_is_hybrid(self.pointer))
        if is_stateful:
            # A restored window would need cells that the book knows nothing of, and some of these can't share parts (DeepSeek V4).
            return Cut.NOWHERE if self.window else Cut.AT_CHECKPOINTS
        return Cut.IN_REACH if self.window else Cut.ANYWHERE

    @property
    def has_decoder(self) -> bool:
        """Return whether the model writes text."""
        return bool(ll.llama_model_has_decoder(self.pointer))

    def close(self) -> None:
        """Free the weights."""
        ll.llama_model_free(self.pointer)

    def _adapter(self, path: str, log: Log) -> ctypes._Pointer[ctypes.c_void_p]:
        adapter: ctypes._Pointer[ctypes.c_void_p] | None = ll.llama_adapter_lora_init(self.pointer, path.encode())
        if not adapter:
            raise LoadFailed(f"the adapter {path} can't be loaded: {log.last_lines() or 'llama.cpp gives no reason'}")
        return adapter


def _report(progress: Callable[[float], None], fraction: float) -> bool:
    progress(fraction)
    return True


def _params(load: Load) -> ll.llama_model_params:
    params: ll.llama_model_params = ll.llama_model_default_params()
    params.n_gpu_layers = load.gpu_layers
    params.split_mode = _SPLIT_LAYER if load.main_gpu is None else _SPLIT_NONE
    params.main_gpu = load.main_gpu or 0
    params.load_mode = _LOAD_MMAP if load.use_mmap else _LOAD_PLAIN
    return params
