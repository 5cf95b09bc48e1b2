"""Prove AMD GPUs from made-up kernel files, from the real amdsmi with a made-up library, and from both."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from amdsmi_library import compile_amdsmi
from vendor import discover as discover_in_child

from corral.devices import Absent, Device, DeviceKind
from corral_rocm.devices import discover
from corral_rocm.gfx import from_override, from_version
from corral_rocm.gpu import Gpu

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GIB = 1024**3


def nothing() -> list[Gpu]:
    return []


def write(root: Path, files: Mapping[str, object]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(f"{text}\n")


def add_card(root: Path, minor: int, *, bus: int, vram: int, gtt: int, board: bool = False, driver: str = "amdgpu") -> None:
    folder = f"sys/class/drm/renderD{minor}/device"
    files = {
        "vendor": "0x1002",
        "uevent": f"DRIVER={driver}\nPCI_SLOT_NAME=0000:{bus:02X}:00.0",
        "mem_info_vram_total": vram,
        "mem_info_vram_used": vram // 4,
        "mem_info_gtt_total": gtt,
        "mem_info_gtt_used": gtt // 8,
    }
    write(root, {f"{folder}/{name}": value for name, value in files.items()})
    if board:
        write(root, {f"{folder}/mem_info_vram_vendor": "samsung"})


def add_node(root: Path, number: int, *, minor: int, gfx: int, unique: int = 0) -> None:
    properties = f"vendor_id 4098\ndevice_id 29772\ndrm_render_minor {minor}\ngfx_target_version {gfx}\nunique_id {unique}"
    write(root, {f"sys/class/kfd/kfd/topology/nodes/{number}/properties": properties})


def add_processor(root: Path) -> None:
    properties = "vendor_id 0\ndevice_id 0\ndrm_render_minor 0\ncpu_cores_count 16"
    write(root, {"sys/class/kfd/kfd/topology/nodes/0/properties": properties, "sys/module/amdgpu/version": "6.8.5"})


def discrete(root: Path) -> None:
    add_processor(root)
    add_card(root, 128, bus=0x03, vram=24 * GIB, gtt=16 * GIB, board=True)
    add_node(root, 1, minor=128, gfx=110000, unique=0xABCD000000000000)


def integrated(root: Path, minor: int = 129, node: int = 2) -> None:
    add_processor(root)
    add_card(root, minor, bus=0xC4, vram=GIB // 2, gtt=16 * GIB)
    add_node(root, node, minor=minor, gfx=110003)


def gpus(root: Path, environment: Mapping[str, str] | None = None, library: Sequence[Gpu] = ()) -> list[Device]:
    found = discover(root, environment or {}, lambda: library)
    return [thing for thing in found if isinstance(thing, Device)]


def test_a_discrete_gpu_has_its_own_memory(tmp_path: Path) -> None:
    discrete(tmp_path)
    (gpu,) = gpus(tmp_path)

    assert (gpu.kind, gpu.compute, gpu.pci_id, gpu.driver) == (DeviceKind.GPU, "gfx1100", "0000:03:00.0", "6.8.5")
    assert (gpu.total_bytes, gpu.free_bytes) == (24 * GIB, 18 * GIB)
    assert (gpu.id, gpu.visibility) == ("GPU-abcd000000000000", {"ROCR_VISIBLE_DEVICES": "GPU-abcd000000000000"})
    assert gpu.unusable is not None
    assert "GGML_HIP" in gpu.unusable.remedy


def test_an_integrated_gpu_adds_the_hosts_memory(tmp_path: Path) -> None:
    integrated(tmp_path)
    (gpu,) = gpus(tmp_path)

    assert (gpu.kind, gpu.compute) == (DeviceKind.INTEGRATED, "gfx1103")
    assert gpu.total_bytes == GIB // 2 + 16 * GIB
    assert gpu.free_bytes == GIB // 2 * 3 // 4 + 14 * GIB
    assert gpu.facts == {"vram_bytes": str(GIB // 2), "gtt_bytes": str(16 * GIB)}


def test_discrete_and_integrated_keep_the_order_of_the_compute_driver(tmp_path: Path) -> None:
    discrete(tmp_path)
    integrated(tmp_path, node=10)

    assert [(gpu.name, gpu.kind, gpu.id) for gpu in gpus(tmp_path)] == [
        ("AMD0", DeviceKind.GPU, "GPU-abcd000000000000"),
        ("AMD1", DeviceKind.INTEGRATED, "0000:c4:00.0"),
    ]
    assert gpus(tmp_path)[1].visibility == {"ROCR_VISIBLE_DEVICES": "1"}


@pytest.mark.parametrize(
    ("vram", "gtt", "board", "kind"),
    [
        (4 * GIB, 16 * GIB, False, DeviceKind.INTEGRATED),
        (4 * GIB, 16 * GIB, True, DeviceKind.GPU),
        (8 * GIB, 32 * GIB, False, DeviceKind.GPU),
        (GIB, 4 * GIB, False, DeviceKind.GPU),
        (3 * GIB, 8 * GIB, False, DeviceKind.GPU),
    ],
)
def test_little_own_memory_and_much_of_the_hosts_is_integrated(tmp_path: Path, vram: int, gtt: int, board: bool, kind: DeviceKind) -> None:
    add_card(tmp_path, 128, bus=1, vram=vram, gtt=gtt, board=board)
    add_node(tmp_path, 1, minor=128, gfx=110000)

    assert gpus(tmp_path)[0].kind is kind


def test_a_gpu_that_the_compute_driver_does_not_list_is_no_computer_for_rocm(tmp_path: Path) -> None:
    add_card(tmp_path, 128, bus=1, vram=GIB, gtt=GIB)
    (gpu,) = gpus(tmp_path)

    assert gpu.visibility == {}
    assert gpu.unusable is not None
    assert "KFD" in gpu.unusable.reason


@pytest.mark.parametrize("driver", ["radeon", "vfio-pci"])
def test_gpus_of_other_drivers_are_none(tmp_path: Path, driver: str) -> None:
    add_card(tmp_path, 128, bus=1, vram=GIB, gtt=GIB, driver=driver)
    add_node(tmp_path, 1, minor=128, gfx=110000)

    (reason,) = discover(tmp_path, {}, nothing)
    assert isinstance(reason, Absent)
    assert "modprobe amdgpu" in reason.remedy


def test_files_that_can_not_be_read_cost_a_fact_and_no_more(tmp_path: Path) -> None:
    """F27: a folder in a file's place can't be read by anyone."""
    discrete(tmp_path)
    for name in ("mem_info_vram_total", "mem_info_gtt_used"):
        path = tmp_path / "sys/class/drm/renderD128/device" / name
        path.unlink()
        path.mkdir()
    (gpu,) = gpus(tmp_path)

    assert (gpu.total_bytes, gpu.free_bytes, gpu.compute) == (None, None, "gfx1100")


@pytest.mark.parametrize("text", ["[N/A]", "1.024,5", "-", "", "0x"])
def test_words_in_the_place_of_a_number_cost_a_fact_and_no_more(tmp_path: Path, text: str) -> None:
    """F20."""
    discrete(tmp_path)
    (tmp_path / "sys/class/drm/renderD128/device/mem_info_vram_total").write_text(f"{text}\n")
    (gpu,) = gpus(tmp_path)

    assert (gpu.total_bytes, gpu.compute) == (None, "gfx1100")


def test_a_node_that_may_not_be_read_leaves_the_card(tmp_path: Path) -> None:
    """F27: in a container the properties of a node may be forbidden."""
    discrete(tmp_path)
    (tmp_path / "sys/class/kfd/kfd/topology/nodes/1/properties").write_text("")

    assert [gpu.pci_id for gpu in gpus(tmp_path)] == ["0000:03:00.0"]


def test_an_override_is_what_counts_and_the_chip_is_a_fact(tmp_path: Path) -> None:
    integrated(tmp_path)
    (gpu,) = gpus(tmp_path, {"HSA_OVERRIDE_GFX_VERSION": "11.0.0"})

    assert (gpu.compute, gpu.facts["physical_gfx"], gpu.environment) == ("gfx1100", "gfx1103", {})


def test_an_override_of_one_gpu_follows_it_into_a_child_where_it_is_alone(tmp_path: Path) -> None:
    discrete(tmp_path)
    integrated(tmp_path)
    first, second = gpus(tmp_path, {"HSA_OVERRIDE_GFX_VERSION_1": "11.0.2"})

    assert (first.compute, dict(first.environment)) == ("gfx1100", {})
    assert (second.compute, second.environment) == ("gfx1102", {"HSA_OVERRIDE_GFX_VERSION": "11.0.2"})


@pytest.mark.parametrize(
    ("text", "name"),
    [("10.3.0", "gfx1030"), ("9.0.10", "gfx90a"), ("gfx1100", "gfx1100"), ("11.0", ""), ("11.0.16", ""), ("a.b.c", ""), ("", "")],
)
def test_overrides_are_read_as_rocm_reads_them(text: str, name: str) -> None:
    assert from_override(text) == name


@pytest.mark.parametrize(("version", "name"), [(110003, "gfx1103"), (90010, "gfx90a"), (100300, "gfx1030"), (0, "")])
def test_versions_of_the_kernel_have_names(version: int, name: str) -> None:
    assert from_version(version) == name


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_amdsmi(tmp_path_factory.mktemp("amdsmi"))


def found_by(library: Path, *scenarios: Mapping[str, str]) -> list[list[Device | Absent]]:
    prefixed = [{f"FAKE_AMDSMI_{name}": value for name, value in scenario.items()} for scenario in scenarios]
    return discover_in_child("corral_rocm", prefixed, LD_LIBRARY_PATH=str(library))


def test_the_library_alone_tells_each_gpu(library: Path) -> None:
    for count, found in zip((1, 2, 8), found_by(library, *({"COUNT": count} for count in "128")), strict=True):
        assert [thing.id for thing in found if isinstance(thing, Device)] == [f"GPU-abcd{index:012x}" for index in range(count)]
        assert {(thing.total_bytes, thing.free_bytes) for thing in found if isinstance(thing, Device)} == {(24 * GIB, 23 * GIB)}


def test_the_library_describes_a_gpu(library: Path) -> None:
    ((gpu,),) = found_by(library, {"COUNT": "1"})

    assert isinstance(gpu, Device)
    assert (gpu.description, gpu.compute, gpu.driver, gpu.pci_id) == ("AMD Radeon RX 7900 XTX", "gfx1100", "6.8.5", "0000:03:00.0")


def test_the_library_shows_an_integrated_gpu_beside_a_discrete_one(library: Path) -> None:
    ((first, second),) = found_by(library, {"COUNT": "2", "APU": "1"})

    assert isinstance(first, Device)
    assert isinstance(second, Device)
    assert (first.kind, second.kind) == (DeviceKind.GPU, DeviceKind.INTEGRATED)
    assert (second.uuid, second.id, second.total_bytes) == (None, "0000:04:00.0", GIB // 2 + 16 * GIB)


def test_no_gpu_in_the_library_is_said(library: Path) -> None:
    ((reason,),) = found_by(library, {"COUNT": "0"})

    assert isinstance(reason, Absent)


FATAL = ("amdsmi_init", "amdsmi_get_socket_handles", "amdsmi_get_processor_handles")
FACTS = (
    "amdsmi_shut_down", "amdsmi_get_gpu_asic_info", "amdsmi_get_gpu_driver_info", "amdsmi_get_gpu_memory_total",
    "amdsmi_get_gpu_memory_usage",
)  # fmt: skip
#: Invalid, not supported, no permission, retry, busy, driver not loaded, and one that no version knows.
CODES = (1, 2, 10, 8, 30, 34, 12345)


@pytest.mark.parametrize("function", FATAL)
def test_a_library_that_does_not_answer_offers_nothing(library: Path, function: str) -> None:
    """An error from each call in turn."""
    found = found_by(library, *({"COUNT": "2", "FAIL": f"{function}:{code}"} for code in CODES))

    assert all([type(thing) for thing in things] == [Absent] for things in found)


@pytest.mark.parametrize("function", FACTS)
def test_a_call_that_fails_costs_one_fact_of_one_gpu(library: Path, function: str) -> None:
    """F22, F23, and an error from each call in turn."""
    (healthy,) = found_by(library, {"COUNT": "2"})
    for found in found_by(library, *({"COUNT": "2", "FAIL": f"{function}:{code}", "FAIL_GPU": "1"} for code in CODES)):
        first, second = found
        assert first == healthy[0]
        assert isinstance(second, Device)
        assert second.pci_id == "0000:04:00.0"


def test_a_gpu_without_an_address_can_not_be_joined_and_is_left_out(library: Path) -> None:
    ((only,),) = found_by(library, {"COUNT": "2", "FAIL": "amdsmi_get_gpu_device_bdf:2", "FAIL_GPU": "1"})

    assert isinstance(only, Device)
    assert only.pci_id == "0000:03:00.0"


def test_the_kernels_view_and_the_librarys_are_joined_by_address(tmp_path: Path) -> None:
    discrete(tmp_path)
    integrated(tmp_path)
    known = Gpu(pci_id="0000:c4:00.0", name="AMD Radeon 780M", driver="6.9")
    first, second = gpus(tmp_path, library=[known])

    assert (first.description, second.description) == ("AMD GPU", "AMD Radeon 780M")
    assert (second.driver, second.compute, second.total_bytes) == ("6.9", "gfx1103", GIB // 2 + 16 * GIB)


def test_without_its_library_amdsmi_is_not_even_imported() -> None:
    """Its import would print to stdout and raise."""
    script = "import sys; from corral_rocm.library import ask_library; print(ask_library()); sys.exit('amdsmi' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_a_library_of_another_version_is_no_library(tmp_path: Path) -> None:
    """It lacks functions that the installed amdsmi looks up when it is imported."""
    subprocess.run(["gcc", "-shared", "-o", str(tmp_path / "libamd_smi.so"), "-xc", "/dev/null"], check=True)

    ((reason,),) = discover_in_child("corral_rocm", [{}], LD_LIBRARY_PATH=str(tmp_path))
    assert isinstance(reason, Absent)
