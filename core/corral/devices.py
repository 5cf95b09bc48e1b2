"""The one type of device, and what a placement puts on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral.runners import Notice

_MIB = 1024 * 1024
#: By backend in lower case; ggml calls Metal `MTL`.
_MINIMUM_BYTES = {"metal": 512 * _MIB, "mtl": 512 * _MIB}
_USUAL_MINIMUM_BYTES = 457 * _MIB


class DeviceKind(Enum):
    """What a device is; the order of preference is GPU, INTEGRATED, ACCELERATOR, CPU."""

    GPU = "gpu"
    INTEGRATED = "integrated"
    ACCELERATOR = "accelerator"
    CPU = "cpu"


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why no runner can use a device, and what would help."""

    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """Why a plugin found no device of a backend; legal in the answer of `discover_devices`, shown by `corral doctor`."""

    backend: str
    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One physical device, as its runners and its vendor's library see it.

    `backend` and `id` together identify a device. Memory is in bytes; None means that nobody could say, and is legal.
    A runner reports what is usable (`runners` names it); a vendor library reports facts and makes memory reliable.
    """

    #: "CUDA", "ROCm", "Vulkan", "Metal", "RPC", "cpu", ...
    backend: str
    id: str
    #: What the runner calls it, for example "CUDA0"; may change between processes.
    name: str
    kind: DeviceKind
    description: str = ""
    #: Lower case and complete: "0000:c1:00.0".
    pci_id: str | None = None
    uuid: str | None = None
    total_bytes: int | None = None
    free_bytes: int | None = None
    #: Whether `free_bytes` follows what happens; else it is what was free when the device was last probed.
    is_measured: bool = True
    #: "8.9" (CUDA) or "gfx1100" (ROCm); empty when unknown.
    compute: str = ""
    driver: str = ""
    #: Environment that makes a child see this device only, e.g. {"CUDA_VISIBLE_DEVICES": "GPU-..."}; joined by commas for several.
    visibility: Mapping[str, str] = field(default_factory=dict)
    #: Further environment that a child needs for this device, e.g. HSA_OVERRIDE_GFX_VERSION.
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Names of the runners that can compute on it.
    runners: frozenset[str] = frozenset()
    #: Names of the plugins whose reports are merged in this one, the first one first.
    reported_by: tuple[str, ...] = ()
    unusable: Unusable | None = None
    #: Vendor facts worth showing: cores, threads, swap, driver branch, ...
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """Return what identifies the device."""
        return (self.backend, self.id)

    @property
    def minimum_bytes(self) -> int:
        """Return what a runner's driver and libraries take on a GPU before any layer is placed."""
        return _MINIMUM_BYTES.get(self.backend.lower(), _USUAL_MINIMUM_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one device carries of a model: `layers` counts blocks (and the output layer), the rest is in bytes."""

    device: Device
    layers: int
    weights_bytes: int
    cache_bytes: int
    compute_bytes: int

    @property
    def total_bytes(self) -> int:
        """Return all that the share takes."""
        return self.weights_bytes + self.cache_bytes + self.compute_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a model's layers go. `shares` are in device order, contiguous, and hold the last layers; the host has the rest.

    With `output_on_host` they hold the last blocks, and the output layer, which comes after those, stays on the host.
    """

    shares: tuple[Share, ...]
    #: Blocks plus one for the output layer.
    total_layers: int
    host_bytes: int
    #: Context per sequence, sequences at once, tokens per batch, threads.
    context_tokens: int
    parallel: int
    batch_tokens: int
    threads: int
    #: What the runner may take of the host's memory beside `host_bytes`, once it has answered: for what it may be asked again.
    parking_bytes: int = 0
    #: Whether the output layer gave its room to blocks.
    output_on_host: bool = False
    flash_attention: bool | None = None
    use_mmap: bool = True
    #: What the cache really holds; a quantised one may have been asked for where it can't be had.
    cache_type_k: str = "f16"
    cache_type_v: str = "f16"
    #: What is less than was asked for.
    notices: tuple[Notice, ...] = ()
    #: Why anything less than full offload was chosen; empty when everything is where it should be.
    reason: str = ""

    @property
    def gpu_layers(self) -> int:
        """Return the number of layers that are not on the host."""
        return sum(share.layers for share in self.shares)

    @property
    def device_bytes(self) -> int:
        """Return the memory taken on devices other than the host."""
        return sum(share.total_bytes for share in self.shares)
