"""What a probe child says of ggml's devices."""

from __future__ import annotations

import msgspec


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A device as ggml lists it. `ordinal` counts within its backend; memory is in bytes, and what the driver claims."""

    ordinal: int
    backend: str
    name: str
    description: str
    #: The number of ggml's enum: 0 CPU, 1 GPU, 2 integrated GPU, 3 accelerator, 4 several devices in one.
    type: int
    pci_id: str | None
    free_bytes: int
    total_bytes: int


class Listing(msgspec.Struct, frozen=True):
    """All devices of one build of llama.cpp."""

    devices: list[Listed]
