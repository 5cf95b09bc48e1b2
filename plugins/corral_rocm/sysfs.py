"""AMD GPUs from the kernel's own files (KFD topology and DRM), without any library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.discovery.identity import normal_pci_id
from corral_rocm.gfx import from_version
from corral_rocm.gpu import Gpu

if TYPE_CHECKING:
    from pathlib import Path

_AMD = "0x1002"
_NODES = "sys/class/kfd/kfd/topology/nodes"
_DRM = "sys/class/drm"


def read_gpus(root: Path) -> list[Gpu]:
    """Return the GPUs of the file tree at `root`: those that can compute in ROCm's order, then the others."""
    compute = {minor: gpu for node in _node_folders(root) if (minor := _minor(node)) and (gpu := _from_node(root, node, minor))}
    minors = sorted(int(path.name.removeprefix("renderD")) for path in (root / _DRM).glob("renderD[0-9]*"))
    others = [gpu for minor in minors if minor not in compute and (gpu := _from_card(root, minor))]
    return [*compute.values(), *others]


def _node_folders(root: Path) -> list[Path]:
    folders = [path for path in (root / _NODES).glob("*") if path.name.isdecimal()]
    return sorted(folders, key=lambda path: int(path.name))


def _minor(node: Path) -> int:
    """Return the number of a node's render device; 0 for a processor, and when the node may not be read."""
    properties = _table(node / "properties")
    return properties.get("drm_render_minor", 0) if properties.get("vendor_id") and properties.get("device_id") else 0


def _from_node(root: Path, node: Path, minor: int) -> Gpu | None:
    card = _from_card(root, minor)
    if card is None:
        return None
    properties = _table(node / "properties")
    unique = properties.get("unique_id", 0)
    return Gpu(
        pci_id=card.pci_id,
        name=card.name or _text(node / "name"),
        uuid=f"GPU-{unique:016x}" if unique else None,
        gfx=from_version(properties.get("gfx_target_version", 0)),
        driver=card.driver,
        vram_total=card.vram_total,
        vram_used=card.vram_used,
        gtt_total=card.gtt_total,
        gtt_used=card.gtt_used,
        has_board=card.has_board,
        has_compute=True,
    )


def _from_card(root: Path, minor: int) -> Gpu | None:
    folder = root / _DRM / f"renderD{minor}" / "device"
    event = dict(line.partition("=")[::2] for line in _text(folder / "uevent").splitlines())
    if _text(folder / "vendor") != _AMD or event.get("DRIVER") != "amdgpu":
        return None
    return Gpu(
        pci_id=normal_pci_id(event.get("PCI_SLOT_NAME")),
        name=_text(folder / "product_name"),
        driver=_text(root / "sys/module/amdgpu/version"),
        vram_total=_number(folder / "mem_info_vram_total"),
        vram_used=_number(folder / "mem_info_vram_used"),
        gtt_total=_number(folder / "mem_info_gtt_total"),
        gtt_used=_number(folder / "mem_info_gtt_used"),
        has_board=(folder / "mem_info_vram_vendor").exists() or (folder / "board_info").exists(),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdecimal() else None


def _table(path: Path) -> dict[str, int]:
    pairs = (line.split() for line in _text(path).splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}
