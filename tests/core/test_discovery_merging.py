"""Prove that each physical device is listed once, with what everybody knows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.devices import Device, DeviceKind, Unusable
from corral.discovery.cleaning import clean
from corral.discovery.identity import is_same, normal_pci_id
from corral.discovery.merging import merge
from corral.discovery.ordering import in_order
from corral.discovery.rules import without_dwarfs

if TYPE_CHECKING:
    from collections.abc import Sequence

GIB = 1024**3


def gpu(backend: str, number: str, **changes: Any) -> Device:
    values: dict[str, Any] = {"name": f"{backend}{number}", "kind": DeviceKind.GPU, "backend": backend, "id": number, **changes}
    return Device(**values)


def runners_view(backend: str, number: str, pci_id: str | None, **changes: Any) -> Device:
    defaults = {"runners": frozenset({"llama-cpp"}), "reported_by": ("llama-cpp",), "total_bytes": 24 * GIB, "free_bytes": 20 * GIB}
    return gpu(backend, number, pci_id=pci_id, **{**defaults, **changes})


def drivers_view(uuid: str, pci_id: str | None, backend: str = "CUDA", **changes: Any) -> Device:
    defaults = {
        "uuid": uuid, "reported_by": ("nvidia",), "total_bytes": 24 * GIB, "free_bytes": 23 * GIB, "compute": "8.9",
        "visibility": {"CUDA_VISIBLE_DEVICES": uuid}, "unusable": Unusable("no runner", "install one"),
    }  # fmt: skip
    return gpu(backend, uuid, pci_id=pci_id, **{**defaults, **changes})


PCI, OTHER_PCI = "0000:01:00.0", "0000:02:00.0"


def test_the_runner_says_what_works_and_the_driver_how_much_memory_there_is() -> None:
    by_ordinal = {"CUDA_VISIBLE_DEVICES": "0"}
    (device,) = merge([runners_view("CUDA", "0", PCI, visibility=by_ordinal), drivers_view("GPU-a", PCI)], {})

    assert (device.backend, device.id, device.name, device.uuid) == ("CUDA", "GPU-a", "CUDA0", "GPU-a")
    assert (device.free_bytes, device.compute) == (23 * GIB, "8.9")
    assert device.unusable is None
    assert device.runners == {"llama-cpp"}
    assert device.reported_by == ("llama-cpp", "nvidia")
    assert device.visibility == {"CUDA_VISIBLE_DEVICES": "GPU-a"}


def test_the_position_in_a_list_joins_nothing() -> None:
    """F25: the driver counts the other way round."""
    runner = [runners_view("CUDA", "0", PCI), runners_view("CUDA", "1", OTHER_PCI)]
    driver = [drivers_view("GPU-b", OTHER_PCI, free_bytes=2 * GIB), drivers_view("GPU-a", PCI, free_bytes=GIB)]
    merged = merge([*runner, *driver], {})

    assert [(device.pci_id, device.uuid, device.free_bytes) for device in merged] == [(PCI, "GPU-a", GIB), (OTHER_PCI, "GPU-b", 2 * GIB)]


def test_the_name_and_memory_join_what_has_no_pci_id_on_one_side() -> None:
    runner = runners_view("CUDA", "0", None, description="NVIDIA RTX 4090")
    (device,) = merge([runner, drivers_view("GPU-a", PCI, description="NVIDIA RTX 4090")], {})

    assert (device.uuid, device.pci_id) == ("GPU-a", PCI)


def test_two_candidates_of_one_name_are_not_guessed_between() -> None:
    runner = runners_view("CUDA", "0", None, description="NVIDIA RTX 4090")
    views = [drivers_view(uuid, pci_id, description="NVIDIA RTX 4090") for uuid, pci_id in (("GPU-a", PCI), ("GPU-b", OTHER_PCI))]

    assert [device.uuid for device in merge([runner, *views], {})] == [None, "GPU-a", "GPU-b"]


def test_a_partition_is_found_by_its_memory() -> None:
    """F26: the parts of a partitioned GPU share its PCI id."""
    runner = runners_view("CUDA", "0", PCI, total_bytes=10 * GIB)
    parts = [drivers_view("MIG-a", PCI, total_bytes=40 * GIB), drivers_view("MIG-b", PCI, total_bytes=10 * GIB)]
    merged = merge([runner, *parts], {})

    assert [(device.uuid, device.unusable is None) for device in merged] == [("MIG-b", True), ("MIG-a", False)]


def test_two_plugins_that_report_one_gpu_make_one_device() -> None:
    """F24."""
    views = [drivers_view("GPU-a", PCI), drivers_view("GPU-a", PCI, reported_by=("other",), driver="550")]
    (seen,) = merge(views, {})
    (used,) = merge([runners_view("CUDA", "0", PCI), *views], {})

    assert (seen.reported_by, seen.driver) == (("nvidia", "other"), "550")
    assert (used.reported_by, used.driver) == (("llama-cpp", "nvidia", "other"), "550")


def test_two_runners_share_a_device() -> None:
    (device,) = merge(
        [runners_view("CUDA", "0", PCI), runners_view("CUDA", "x", PCI, runners=frozenset({"vllm"}), reported_by=("vllm",))], {}
    )

    assert (device.id, device.runners, device.reported_by) == ("0", {"llama-cpp", "vllm"}, ("llama-cpp", "vllm"))


@pytest.mark.parametrize("native", ["CUDA", "ROCm"])
@pytest.mark.parametrize("native_first", [True, False])
def test_a_vendors_backend_is_preferred_to_vulkan(native: str, native_first: bool) -> None:
    pair = [runners_view(native, "0", PCI), runners_view("Vulkan", "0", PCI)]

    assert [device.backend for device in merge(pair if native_first else pair[::-1], {})] == [native]


def test_vulkan_without_pci_ids_is_recognised_by_name_and_memory() -> None:
    cuda = runners_view("ROCm", "0", PCI, description="AMD Radeon RX 7900 XTX")
    vulkan = runners_view("Vulkan", "0", None, description="AMD Radeon RX 7900 XTX (RADV NAVI31)", total_bytes=24 * GIB - 1)

    assert [device.backend for device in merge([vulkan, cuda], {})] == ["ROCm"]


def test_a_backend_that_fails_leaves_the_gpu_to_the_one_that_works() -> None:
    broken = runners_view("ROCm", "0", PCI, unusable=Unusable("failed its test"))

    assert [device.backend for device in merge([broken, runners_view("Vulkan", "0", PCI)], {})] == ["Vulkan"]


def test_vulkan_on_a_vendors_gpu_has_the_drivers_memory_and_keeps_its_own_variable() -> None:
    vulkan = runners_view("Vulkan", "0", PCI, visibility={"GGML_VK_VISIBLE_DEVICES": "0"})
    (device,) = merge([vulkan, drivers_view("GPU-a", PCI)], {})

    assert (device.backend, device.free_bytes, device.visibility) == ("Vulkan", 23 * GIB, {"GGML_VK_VISIBLE_DEVICES": "0"})


def test_missing_pci_ids_are_not_equal() -> None:
    devices = [runners_view("Vulkan", "0", None), runners_view("Vulkan", "1", None), runners_view("RPC", "0", None)]

    assert len(merge(devices, {})) == 3


def test_a_gpu_without_a_runner_is_listed_with_what_would_help() -> None:
    (device,) = merge([drivers_view("GPU-a", PCI)], {})

    assert device.unusable == Unusable("no runner", "install one")


@pytest.mark.parametrize("value", ["GPU-b", "-1", ""])
def test_a_hidden_gpu_is_listed_with_the_variable_that_hides_it(value: str) -> None:
    """F26."""
    (device,) = merge([drivers_view("GPU-a", PCI)], {"CUDA_VISIBLE_DEVICES": value})

    assert device.unusable is not None
    assert device.unusable.reason == f"hidden from runners by CUDA_VISIBLE_DEVICES={value}"


def test_a_gpu_chosen_by_its_uuid_is_not_called_hidden() -> None:
    (device,) = merge([drivers_view("GPU-a", PCI)], {"CUDA_VISIBLE_DEVICES": "GPU-a"})

    assert device.unusable == Unusable("no runner", "install one")


def test_the_restriction_of_the_user_keeps_its_variable() -> None:
    """A UUID in ROCR_VISIBLE_DEVICES would be filtered again by the user's HIP_VISIBLE_DEVICES."""
    runner = runners_view("ROCm", "0", PCI, visibility={"HIP_VISIBLE_DEVICES": "2"})
    driver = drivers_view("GPU-a", PCI, backend="ROCm", visibility={"ROCR_VISIBLE_DEVICES": "GPU-a"})
    (device,) = merge([runner, driver], {"HIP_VISIBLE_DEVICES": "2,3"})

    assert device.visibility == {"HIP_VISIBLE_DEVICES": "2"}


def test_what_the_driver_calls_integrated_is_integrated() -> None:
    (device,) = merge([runners_view("CUDA", "0", PCI), drivers_view("GPU-a", PCI, kind=DeviceKind.INTEGRATED)], {})

    assert device.kind is DeviceKind.INTEGRATED


def test_the_processor_is_one_device_with_the_facts_of_its_plugin() -> None:
    runner = gpu("cpu", "cpu", name="CPU", kind=DeviceKind.CPU, runners=frozenset({"llama-cpp"}), reported_by=("llama-cpp",))
    facts = gpu("cpu", "cpu", name="CPU", kind=DeviceKind.CPU, free_bytes=GIB, total_bytes=GIB, facts={"cores": "4"}, reported_by=("cpu",))
    (device,) = merge([facts, runner], {})

    assert (device.id, device.free_bytes, device.facts["cores"], device.runners) == ("cpu", GIB, "4", {"llama-cpp"})
    assert device.unusable is None


@pytest.mark.parametrize(
    ("total", "free", "expected"),
    [
        (8, 4, (8, 4)),
        (8, 9, (8, None)),
        (8, -1, (8, None)),
        (8, None, (8, None)),
        (0, 0, (None, 0)),
        (-1, 5, (None, 5)),
        (None, None, (None, None)),
    ],
)
def test_impossible_amounts_of_memory_are_unknown(total: int | None, free: int | None, expected: tuple[int | None, int | None]) -> None:
    """F23."""
    device = clean(gpu("CUDA", "0", total_bytes=total, free_bytes=free), "nvidia")

    assert (device.total_bytes, device.free_bytes) == expected
    assert device.reported_by == ("nvidia",)


@pytest.mark.parametrize(
    ("text", "pci_id"),
    [
        ("0000:c1:00.0", "0000:c1:00.0"), ("00000000:C1:00.0", "0000:c1:00.0"), ("c1:00.0", "0000:c1:00.0"),
        ("10000:01:00.0", "10000:01:00.0"),
        ("", None), (None, None), ("GPU-1", None), ("0000:c1:00", None),
    ],
)  # fmt: skip
def test_pci_ids_have_one_form(text: str | None, pci_id: str | None) -> None:
    assert normal_pci_id(text) == pci_id


def kinds(devices: Sequence[Device]) -> list[str]:
    return [device.name for device in devices]


def test_devices_come_in_the_order_of_preference() -> None:
    devices = [
        gpu("cpu", "0", kind=DeviceKind.CPU, free_bytes=99 * GIB),
        gpu("BLAS", "0", kind=DeviceKind.ACCELERATOR),
        gpu("Vulkan", "9", kind=DeviceKind.INTEGRATED, free_bytes=60 * GIB),
        gpu("CUDA", "2", free_bytes=GIB),
        gpu("CUDA", "1", free_bytes=2 * GIB),
        gpu("CUDA", "3", free_bytes=3 * GIB, unusable=Unusable("broken")),
        gpu("CUDA", "4"),
    ]

    assert kinds(in_order(devices)) == ["CUDA1", "CUDA2", "CUDA4", "CUDA3", "Vulkan9", "BLAS0", "cpu0"]


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_the_order_of_reports_does_not_matter(data: st.DataObject) -> None:
    """F25: twenty devices, reported in another order each time."""
    runner = [runners_view("CUDA", str(number), f"0000:{number:02x}:00.0", free_bytes=GIB) for number in range(10)]
    driver = [drivers_view(f"GPU-{number}", f"0000:{number:02x}:00.0", free_bytes=GIB) for number in range(10)]
    shuffled = data.draw(st.permutations(runner + driver))

    result = in_order(merge(shuffled, {}))
    assert [(device.name, device.uuid) for device in result] == [(f"CUDA{number}", f"GPU-{number}") for number in range(10)]


@pytest.mark.parametrize(
    ("device", "is_usable"),
    [
        (gpu("CUDA", "0", pci_id=PCI, total_bytes=456 * 1024**2), False),
        (gpu("CUDA", "0", pci_id=PCI, total_bytes=457 * 1024**2), True),
        (gpu("Metal", "0", pci_id=PCI, total_bytes=500 * 1024**2), False),
        (gpu("CUDA", "0", pci_id=PCI, total_bytes=None), True),
        (gpu("RPC", "0", total_bytes=128 * 1024**2), True),
        (gpu("cpu", "0", kind=DeviceKind.CPU, total_bytes=1), True),
    ],
)
def test_a_gpu_that_can_not_even_hold_the_runner_is_unusable(device: Device, is_usable: bool) -> None:
    (checked,) = without_dwarfs([device])

    assert (checked.unusable is None) is is_usable


def test_sameness_goes_both_ways() -> None:
    pairs = [
        (runners_view("CUDA", "0", PCI), drivers_view("GPU-a", PCI)),
        (runners_view("CUDA", "0", None), drivers_view("GPU-a", PCI)),
        (drivers_view("MIG-a", PCI), drivers_view("MIG-b", PCI)),
        (runners_view("Vulkan", "0", None, description="X"), runners_view("CUDA", "0", PCI, description="X")),
    ]

    assert [is_same(one, other) for one, other in pairs] == [is_same(other, one) for one, other in pairs] == [True, False, False, True]
