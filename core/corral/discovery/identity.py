"""Whether two reports are about the same physical device."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral.devices import Device

_PCI_ID = re.compile(r"(?:([0-9a-f]{4,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-9a-f])", re.IGNORECASE)

#: Backends that drive a GPU by its vendor's own library; Vulkan sees the same GPUs again.
NATIVE_BACKENDS = frozenset({"CUDA", "ROCm"})

#: Two reports of one memory may differ by this much.
_MEMORY_TOLERANCE = 0.05
_MEMORY_SLACK = 512 * 1024 * 1024


def normal_pci_id(text: str | None) -> str | None:
    """Return a PCI id in lower case with a domain of four digits; None when it is none."""
    found = _PCI_ID.fullmatch((text or "").strip())
    if found is None:
        return None
    domain, bus, device, function = (int(part or "0", 16) for part in found.groups())
    return f"{domain:04x}:{bus:02x}:{device:02x}.{function:x}"


def is_same(one: Device, other: Device) -> bool:
    """Return whether both are one physical device. What is unknown is never equal.

    UUIDs of one backend decide, because the parts of a partitioned GPU share its PCI id; then PCI ids; then, where Vulkan has
    neither, the description with the size of the memory.
    """
    if one.backend == other.backend and one.uuid and other.uuid:
        return one.uuid == other.uuid
    if one.pci_id and other.pci_id:
        return one.pci_id == other.pci_id
    if one.key == other.key:
        return True
    return _is_vulkan_twin(one, other) or _is_vulkan_twin(other, one)


def looks_same(one: Device, other: Device) -> bool:
    """Return whether both have one backend, one name and similar memory, and nothing that tells them apart."""
    told_apart = (one.pci_id and other.pci_id) or (one.uuid and other.uuid)
    return one.backend == other.backend and not told_apart and _has_same_name(one, other) and has_similar_memory(one, other)


def has_similar_memory(one: Device, other: Device) -> bool:
    """Return whether both have a memory of about the same size."""
    if not one.total_bytes or not other.total_bytes:
        return False
    larger = max(one.total_bytes, other.total_bytes)
    return abs(one.total_bytes - other.total_bytes) <= max(larger * _MEMORY_TOLERANCE, _MEMORY_SLACK)


def _is_vulkan_twin(vulkan: Device, native: Device) -> bool:
    if vulkan.backend != "Vulkan" or native.backend not in NATIVE_BACKENDS or vulkan.kind != native.kind:
        return False
    return _has_same_name(vulkan, native) and has_similar_memory(vulkan, native)


def _has_same_name(one: Device, other: Device) -> bool:
    name = _plain(one.description)
    return bool(name) and name == _plain(other.description)


def _plain(description: str) -> str:
    """Return a marketing name without what drivers add to it: "AMD Radeon RX (RADV NAVI31)" is "amd radeon rx"."""
    return " ".join(re.sub(r"[^a-z0-9]+", " ", re.sub(r"\(.*?\)", " ", description.lower())).split())
