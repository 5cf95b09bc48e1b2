"""Prove that a child sees the devices that it should, whatever the user has restricted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from corral.devices import Device, DeviceKind
from corral.discovery.visibility import environment_for, hide_all, names_in_child, notices, show_only


@pytest.mark.parametrize(
    ("backend", "ordinal", "environment", "expected"),
    [
        ("CUDA", 1, {}, {"CUDA_VISIBLE_DEVICES": "1"}),
        ("CUDA", 1, {"CUDA_VISIBLE_DEVICES": "GPU-a,GPU-b"}, {"CUDA_VISIBLE_DEVICES": "GPU-b"}),
        ("CUDA", 0, {"CUDA_VISIBLE_DEVICES": " MIG-x , 3"}, {"CUDA_VISIBLE_DEVICES": "MIG-x"}),
        ("CUDA", 5, {"CUDA_VISIBLE_DEVICES": "0,1"}, {"CUDA_VISIBLE_DEVICES": "5"}),
        ("CUDA", 0, {"CUDA_VISIBLE_DEVICES": ""}, {"CUDA_VISIBLE_DEVICES": "0"}),
        ("ROCm", 0, {}, {"ROCR_VISIBLE_DEVICES": "0"}),
        ("ROCm", 0, {"HIP_VISIBLE_DEVICES": "2,3"}, {"HIP_VISIBLE_DEVICES": "2"}),
        ("ROCm", 1, {"ROCR_VISIBLE_DEVICES": "GPU-a,GPU-b"}, {"ROCR_VISIBLE_DEVICES": "GPU-b"}),
        ("ROCm", 0, {"ROCR_VISIBLE_DEVICES": "4,5", "HIP_VISIBLE_DEVICES": "1"}, {"HIP_VISIBLE_DEVICES": "1"}),
        ("ROCm", 1, {"GPU_DEVICE_ORDINAL": "6,7"}, {"GPU_DEVICE_ORDINAL": "7"}),
        ("ROCm", 1, {"CUDA_VISIBLE_DEVICES": "6,7"}, {"CUDA_VISIBLE_DEVICES": "7"}),
        ("Vulkan", 2, {}, {"GGML_VK_VISIBLE_DEVICES": "2"}),
        ("Metal", 0, {}, {}),
        ("RPC", 0, {"CUDA_VISIBLE_DEVICES": "1"}, {}),
    ],
)
def test_an_ordinal_is_translated_through_the_users_restriction(
    backend: str, ordinal: int, environment: dict[str, str], expected: dict[str, str]
) -> None:
    """F26."""
    assert show_only(backend, ordinal, environment) == expected


def device(backend: str, visibility: dict[str, str], **environment: str) -> Device:
    return Device(backend=backend, id="0", name="x", kind=DeviceKind.GPU, visibility=visibility, environment=environment)


FIRST = device("CUDA", {"CUDA_VISIBLE_DEVICES": "GPU-a"}, CUDA_DEVICE_ORDER="PCI_BUS_ID")
SECOND = device("CUDA", {"CUDA_VISIBLE_DEVICES": "GPU-b"}, CUDA_DEVICE_ORDER="PCI_BUS_ID")
RADEON = device("ROCm", {"ROCR_VISIBLE_DEVICES": "GPU-c"}, HSA_OVERRIDE_GFX_VERSION="11.0.0")
REMOTE = device("RPC", {})


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ([], {}),
        ([REMOTE], {}),
        ([SECOND, FIRST], {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "GPU-b,GPU-a"}),
        ([FIRST, REMOTE], {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "GPU-a"}),
        (
            [FIRST, RADEON],
            {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "HSA_OVERRIDE_GFX_VERSION": "11.0.0", "ROCR_VISIBLE_DEVICES": "GPU-c"},
        ),
    ],
)
def test_a_child_gets_its_devices_in_order_and_hip_is_not_shown_cudas(devices: list[Device], expected: dict[str, str]) -> None:
    assert environment_for(devices) == expected


@pytest.mark.parametrize(
    ("devices", "names"),
    [
        ([replace(SECOND, name="CUDA1")], ["CUDA0"]),
        ([replace(SECOND, name="CUDA1"), replace(FIRST, name="CUDA0")], ["CUDA0", "CUDA1"]),
        ([replace(REMOTE, name="RPC3")], ["RPC3"]),
        # Not narrowed, so not renumbered.
        ([replace(SECOND, name="CUDA1"), replace(RADEON, name="ROCm2")], ["CUDA1", "ROCm0"]),
        ([replace(FIRST, name="CUDA2"), replace(REMOTE, name="RPC0"), replace(SECOND, name="CUDA5")], ["CUDA0", "RPC0", "CUDA1"]),
    ],
)
def test_a_child_numbers_what_it_sees_from_zero(devices: list[Device], names: list[str]) -> None:
    """F25: a name is good in one process only."""
    assert names_in_child(devices) == names


def test_everything_can_be_hidden() -> None:
    assert set(hide_all().values()) == {"-1"}
    assert {"CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "GGML_VK_VISIBLE_DEVICES"} <= set(hide_all())


def test_each_override_of_the_user_is_warned_about() -> None:
    environment = {"HSA_OVERRIDE_GFX_VERSION_1": "10.3.0", "CUDA_VISIBLE_DEVICES": "", "PATH": "/bin"}

    assert [notice.message.split(" ")[0] for notice in notices(environment)] == [
        "CUDA_VISIBLE_DEVICES=",
        "HSA_OVERRIDE_GFX_VERSION_1=10.3.0",
    ]
