"""Prove that devices are found once, measured often, lost and found again."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import pytest

from corral.devices import Absent, Device, DeviceKind, Placement, Share, Unusable
from corral.discovery import Discovery, watch
from corral.discovery.rules import LOST
from corral.errors import LoadFailed
from corral.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from corral.runners import Runner

GIB = 1024**3


@dataclass
class Answer:
    plugin: str
    devices: Sequence[Device] = ()
    absent: Sequence[Absent] = ()
    error: str = ""

    @property
    def quick(self) -> bool:
        return self.plugin != "llama-cpp"


@dataclass
class Host:
    """Gives what the test put in; a probe (`llama-cpp`) and two plugins that can be asked often."""

    probe: Answer = field(default_factory=lambda: Answer("llama-cpp", [CUDA, HOST]))
    quick: list[Answer] = field(default_factory=lambda: [Answer("cpu", [MEMORY]), Answer("nvidia", [DRIVER])])
    probes: int = 0
    limits: list[float] = field(default_factory=list)

    def discover_devices(self, settings: Settings, *, quick: bool = False) -> Sequence[Answer]:
        self.limits.append(settings.probe_timeout_s)
        self.probes += not quick
        return [*([] if quick else [self.probe]), *self.quick]

    def measure(self, plugin: str, *devices: Device, error: str = "") -> None:
        self.quick = [answer if answer.plugin != plugin else Answer(plugin, devices, error=error) for answer in self.quick]


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


PCI = "0000:01:00.0"
HOST = Device(backend="cpu", id="cpu", name="CPU", kind=DeviceKind.CPU, runners=frozenset({"llama-cpp"}))
MEMORY = Device(backend="cpu", id="cpu", name="CPU", kind=DeviceKind.CPU, total_bytes=64 * GIB, free_bytes=32 * GIB)
CUDA = Device(
    backend="CUDA", id="0", name="CUDA0", kind=DeviceKind.GPU, pci_id=PCI, total_bytes=24 * GIB, free_bytes=20 * GIB, runners=HOST.runners
)
DRIVER = Device(
    backend="CUDA", id="GPU-a", name="NVIDIA0", kind=DeviceKind.GPU, pci_id=PCI, uuid="GPU-a", total_bytes=24 * GIB, free_bytes=23 * GIB
)


def make(host: Host, clock: Clock | None = None, live: Mapping[tuple[str, str], int] | None = None) -> Discovery:
    async def memory() -> Mapping[tuple[str, str], int]:
        return live or {}

    return Discovery(host, Settings(), live_memory=memory, environment={}, clock=clock or Clock())


def by_name(devices: Sequence[Device]) -> dict[str, Device]:
    return {device.name: device for device in devices}


async def test_runner_and_driver_make_one_device_and_the_host_comes_last() -> None:
    devices = await make(Host()).devices()

    assert [(device.name, device.free_bytes) for device in devices] == [("CUDA0", 23 * GIB), ("CPU", 32 * GIB)]
    assert devices[0].reported_by == ("llama-cpp", "nvidia")


async def test_the_list_is_a_copy() -> None:
    discovery = make(Host())
    (await discovery.devices()).clear()

    assert len(await discovery.devices()) == 2


async def test_within_a_second_nobody_is_asked_again() -> None:
    host, clock = Host(), Clock()
    discovery = make(host, clock)
    await discovery.devices()
    clock.now += 0.9
    await discovery.devices()

    assert len(host.limits) == 1


async def test_many_who_ask_at_once_cause_one_look() -> None:
    host = Host()
    discovery = make(host)
    answers = await asyncio.gather(*(discovery.devices() for _ in range(20)))

    assert host.probes == 1
    assert all(answer == answers[0] for answer in answers)


async def test_memory_is_measured_again_without_a_probe_and_within_three_seconds() -> None:
    host, clock = Host(), Clock()
    discovery = make(host, clock)
    await discovery.devices()
    host.measure("nvidia", replace(DRIVER, free_bytes=GIB))
    clock.now += 2
    devices = await discovery.devices()

    assert by_name(devices)["CUDA0"].free_bytes == GIB
    assert host.probes == 1
    assert host.limits == [30.0, 3.0]


async def test_runners_tell_the_memory_that_no_driver_tells() -> None:
    vulkan = replace(CUDA, backend="Vulkan", name="Vulkan0", pci_id=None)
    host = Host(probe=Answer("llama-cpp", [vulkan, CUDA, HOST]))
    live = {("Vulkan", "0"): 7 * GIB, ("CUDA", "GPU-a"): 7 * GIB}
    discovery = make(host, live=live)
    await discovery.devices()
    await discovery.refresh()
    devices = by_name(await discovery.devices())

    assert (devices["Vulkan0"].free_bytes, devices["CUDA0"].free_bytes) == (7 * GIB, 23 * GIB)


async def test_what_nobody_measures_again_is_said_to_be_old() -> None:
    vulkan = replace(CUDA, backend="Vulkan", name="Vulkan0", pci_id=None)
    discovery = make(Host(probe=Answer("llama-cpp", [vulkan, CUDA, HOST])))

    assert {device.name: device.is_measured for device in await discovery.devices()} == {"Vulkan0": False, "CUDA0": True, "CPU": True}


async def test_a_gpu_that_its_driver_loses_is_lost_and_not_gone() -> None:
    """F22."""
    host, clock = Host(), Clock()
    discovery = make(host, clock)
    await discovery.devices()
    host.measure("nvidia")
    clock.now += 2
    gpu = by_name(await discovery.devices())["CUDA0"]

    assert gpu.unusable is not None
    assert gpu.unusable.reason.startswith("lost")
    assert gpu.free_bytes is None


async def test_a_gpu_that_no_runner_used_is_lost_as_well() -> None:
    host, clock = Host(probe=Answer("llama-cpp", [HOST])), Clock()
    discovery = make(host, clock)
    await discovery.devices()
    host.measure("nvidia")
    clock.now += 2
    gpu = by_name(await discovery.devices())["NVIDIA0"]

    assert gpu.unusable is not None
    assert gpu.unusable.reason.startswith("lost")


async def test_a_gpu_that_comes_back_is_probed_again() -> None:
    """F22."""
    host, clock = Host(), Clock()
    discovery = make(host, clock)
    await discovery.devices()
    host.measure("nvidia")
    clock.now += 2
    await discovery.devices()
    host.measure("nvidia", DRIVER)
    clock.now += 20
    devices = await discovery.devices()

    assert host.probes == 2
    assert by_name(devices)["CUDA0"].unusable is None


async def test_a_gpu_that_comes_and_goes_is_not_probed_all_the_time() -> None:
    host, clock = Host(), Clock()
    discovery = make(host, clock)
    await discovery.devices()
    for number in range(8):
        host.measure("nvidia", *([DRIVER] if number % 2 else []))
        clock.now += 1.1
        await discovery.devices()

    assert host.probes == 1
    assert by_name(await discovery.devices())["CUDA0"].unusable is not None


async def test_a_gpu_that_appears_later_is_probed() -> None:
    """F21."""
    host, clock = Host(probe=Answer("llama-cpp", [HOST])), Clock()
    host.measure("nvidia")
    discovery = make(host, clock)
    assert list(by_name(await discovery.devices())) == ["CPU"]
    host.measure("nvidia", DRIVER)
    host.probe = Answer("llama-cpp", [CUDA, HOST])
    clock.now += 20

    assert by_name(await discovery.devices())["CUDA0"].unusable is None


async def test_a_plugin_that_fails_costs_only_its_devices() -> None:
    """F17, F18: one plugin crashed or hung."""
    host = Host()
    host.measure("nvidia", error="no answer within 30 s")
    discovery = make(host)
    devices = await discovery.devices()

    assert [device.name for device in devices] == ["CUDA0", "CPU"]
    assert [notice.message for notice in discovery.notices] == ["plugin 'nvidia' could not look for devices: no answer within 30 s"]


async def test_a_plugin_that_fails_at_a_refresh_leaves_old_figures_and_is_asked_less_often() -> None:
    host, clock = Host(), Clock()
    discovery = make(host, clock)
    await discovery.devices()
    host.measure("nvidia", error="hangs")
    for _ in range(20):
        clock.now += 1.1
        await discovery.devices()

    assert by_name(await discovery.devices())["CUDA0"].free_bytes == 23 * GIB
    assert [notice.code for notice in discovery.notices] == ["memory_stale"]
    assert len(host.limits) <= 6


async def test_a_plugin_that_recovers_is_forgiven() -> None:
    host, clock = Host(), Clock()
    discovery = make(host, clock)
    await discovery.devices()
    host.measure("nvidia", error="hangs")
    clock.now += 2
    await discovery.devices()
    host.measure("nvidia", replace(DRIVER, free_bytes=GIB))
    clock.now += 5
    devices = await discovery.devices()

    assert (by_name(devices)["CUDA0"].free_bytes, discovery.notices) == (GIB, [])


async def test_a_runner_that_does_not_tell_its_memory_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corral.discovery.discovery._REFRESH_LIMIT_S", 0.05)
    never = asyncio.Event()

    async def hang() -> Mapping[tuple[str, str], int]:
        await never.wait()
        return {}

    discovery = Discovery(Host(), Settings(), live_memory=hang, environment={}, clock=Clock())
    await discovery.devices()
    await discovery.refresh()

    assert [notice.code for notice in discovery.notices] == ["memory_stale"]


async def test_looking_does_not_block_the_loop() -> None:
    entered, leave = threading.Event(), threading.Event()

    class Slow(Host):
        def discover_devices(self, settings: Settings, *, quick: bool = False) -> Sequence[Answer]:
            entered.set()
            assert leave.wait(10)
            return super().discover_devices(settings, quick=quick)

    looking = asyncio.ensure_future(make(Slow()).devices())
    await asyncio.to_thread(entered.wait, 10)
    # The loop runs while the plugins are being asked.
    leave.set()

    assert len(await looking) == 2


async def test_overrides_and_absences_are_told() -> None:
    absent = Absent("ROCm", "no driver", "install it")
    host = Host(quick=[Answer("rocm", absent=[absent])])
    discovery = Discovery(host, Settings(), environment={"CUDA_VISIBLE_DEVICES": "0"})
    await discovery.devices()

    assert discovery.absent == [absent]
    assert [notice.code for notice in discovery.notices] == ["device_override"]


async def test_probing_again_on_demand_drops_what_failed_since() -> None:
    host = Host()
    discovery = make(host)
    await discovery.devices()
    host.probe = Answer("llama-cpp", [replace(CUDA, unusable=Unusable("failed its test")), HOST])
    await discovery.rediscover()

    assert by_name(await discovery.devices())["CUDA0"].unusable == Unusable("failed its test")


async def test_a_device_that_is_not_found_any_more_when_all_is_probed_again_is_lost() -> None:
    """F22, for a device that no driver tells about."""
    remote = replace(CUDA, backend="RPC", name="RPC0", pci_id=None)
    host, clock = Host(probe=Answer("llama-cpp", [remote, HOST])), Clock()
    discovery = make(host, clock)
    await discovery.devices()
    host.probe = Answer("llama-cpp", [HOST])
    discovery.distrust()
    clock.now += 20
    lost = by_name(await discovery.devices())["RPC0"]
    host.probe = Answer("llama-cpp", [remote, HOST])
    clock.now += 61
    found = by_name(await discovery.devices())["RPC0"]

    assert (lost.unusable, found.unusable) == (LOST, None)


async def test_what_is_lost_is_looked_for_less_and_less_often() -> None:
    host, clock = Host(), Clock()
    discovery = make(host, clock)
    await discovery.devices()
    host.measure("nvidia")
    host.probe = Answer("llama-cpp", [HOST])
    for _ in range(3600):
        clock.now += 1
        await discovery.devices()

    assert 6 <= host.probes <= 11


async def test_a_probe_that_fails_as_a_whole_loses_no_device() -> None:
    host = Host()
    discovery = make(host)
    await discovery.devices()
    host.probe = Answer("llama-cpp", error="no answer within 30 s")
    await discovery.rediscover()

    assert [device.unusable for device in await discovery.devices()] == [None, None]
    assert [notice.code for notice in discovery.notices] == ["discovery_failed"]


class Doubts:
    def __init__(self) -> None:
        self.count = 0

    def distrust(self) -> None:
        self.count += 1


def placed_on(*devices: Device) -> Placement:
    shares = tuple(Share(device=device, layers=1, weights_bytes=1, cache_bytes=1, compute_bytes=1) for device in devices)
    return Placement(shares=shares, total_layers=2, host_bytes=0, context_tokens=8, parallel=1, batch_tokens=8, threads=1)


@asynccontextmanager
async def opening(error: LoadFailed | None = None, death: str = "") -> AsyncIterator[Runner]:
    class Leaving:
        async def wait_closed(self) -> str:
            return death

    if error is not None:
        raise error
    yield cast("Runner", Leaving())


@pytest.mark.parametrize(
    ("placement", "error", "death", "doubts"),
    [
        (placed_on(CUDA), None, "", 0),
        (placed_on(CUDA), None, "crashed", 1),
        (placed_on(CUDA), LoadFailed("CUDA error"), "", 1),
        (placed_on(CUDA), LoadFailed("no memory", out_of_memory=True), "", 0),
        (placed_on(), LoadFailed("no model"), "", 0),
        (placed_on(), None, "crashed", 0),
    ],
)
async def test_devices_are_doubted_when_a_runner_fails_on_one(
    placement: Placement, error: LoadFailed | None, death: str, doubts: int
) -> None:
    devices = Doubts()
    with suppress(LoadFailed):
        async with watch(devices, placement, opening(error, death)):
            pass

    assert devices.count == doubts
