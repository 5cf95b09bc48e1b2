"""Which devices this build of llama.cpp can really compute on, found out by children that may crash."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from corral.devices import Absent, Device, DeviceKind, Unusable
from corral.discovery.visibility import hide_all, show_only
from corral.errors import LoadFailed
from corral.workers import Deadlines, python_module, start_worker
from corral_llama_cpp.probe_wire import Listed, Listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from corral.settings import Settings

Answer = TypeVar("Answer")

RUNNER = "llama-cpp"
PLUGIN = "llama-cpp"

_KINDS = {0: DeviceKind.CPU, 1: DeviceKind.GPU, 2: DeviceKind.INTEGRATED, 3: DeviceKind.ACCELERATOR}
#: Ordinals of CUDA count by speed unless told otherwise, and then change with the hardware.
_PCI_ORDER = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
#: When ggml aborts it would start a debugger, whose output buries the reason.
_QUIET = {"GGML_NO_BACKTRACE": "1"}
#: Shares of the time that a probe has: all of it, listing, and one device. What is left pays for ending children.
_TOTAL_SHARE, _LIST_SHARE = 0.85, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How to ask a child about devices; tests put a scripted child in the place of the real one."""

    argv: tuple[str, ...] = python_module("corral_llama_cpp.probe_child")
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    timeout_s: float = 30.0

    async def devices(self) -> list[Device | Absent]:
        """Return every device, those that failed their test marked unusable, with the reason."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self.timeout_s * _TOTAL_SHARE
        found, problems = await self._list(end)
        async with asyncio.TaskGroup() as group:
            tests = [group.create_task(self._tested(device, end)) for device in found if _is_real(device)]
        return [*problems, *(test.result() for test in tests)]

    async def _list(self, end: float) -> tuple[Sequence[Listed], list[Absent]]:
        half_s = self.timeout_s * _TOTAL_SHARE * _LIST_SHARE
        try:
            return (await self._ask(("list",), Listing, limit_s=half_s)).devices, []
        except LoadFailed as error:
            # A driver that crashes while it is listed must not cost the processor as well.
            problem = Absent("GPU", f"listing the devices of llama.cpp failed: {error}", "update the GPU driver, or hide the GPU")
        left_s = end - asyncio.get_running_loop().time()
        try:
            listing = await self._ask(("list",), Listing, limit_s=left_s / 2, extra=hide_all())
        except LoadFailed as error:
            return [], [Absent("cpu", f"llama.cpp can't be loaded: {error}", "pip install --force-reinstall llama-cpp-python")]
        return listing.devices, [problem]

    async def _tested(self, listed: Listed, end: float) -> Device:
        device = describe(listed, self.environment)
        request = ("prove", listed.backend, listed.name, listed.pci_id or "")
        alone = {**device.environment, **device.visibility}
        try:
            await self._ask(request, Listed, limit_s=end - asyncio.get_running_loop().time(), extra=alone)
        except LoadFailed as error:
            return replace(device, unusable=Unusable(f"failed its test: {error}", _remedy(device)))
        return device

    async def _ask(self, request: Sequence[str], answer: type[Answer], *, limit_s: float, extra: Mapping[str, str] | None = None) -> Answer:
        limit_s = max(limit_s, 0.0)
        deadlines = Deadlines(start_s=limit_s, stall_s=limit_s, load_s=limit_s, grace_s=0.0, kill_s=1.0)
        environment = {**_PCI_ORDER, **_QUIET, **self.environment, **(extra or {})}
        no_replies: tuple[type[object], ...] = ()
        async with start_worker(
            (*self.argv, *request), name="the probe", reply_types=no_replies, deadlines=deadlines, environment=environment
        ) as worker:
            return await worker.ready(answer)


def devices(settings: Settings) -> list[Device | Absent]:
    """Probe in this thread, for less than `settings.probe_timeout_s`."""
    return asyncio.run(Probe(timeout_s=settings.probe_timeout_s).devices())


def describe(listed: Listed, environment: Mapping[str, str]) -> Device:
    """Return a listed device as corral knows devices."""
    is_host = listed.type == 0
    return Device(
        backend=listed.backend,
        id="cpu" if is_host else str(listed.ordinal),
        name=listed.name,
        kind=_KINDS.get(listed.type, DeviceKind.ACCELERATOR),
        description=listed.description.strip(),
        pci_id=listed.pci_id,
        # ggml says that all of the host's memory is free.
        total_bytes=None if is_host else listed.total_bytes,
        free_bytes=None if is_host else listed.free_bytes,
        visibility=show_only(listed.backend, listed.ordinal, environment),
        environment={**_PCI_ORDER, **_ordering(environment)} if listed.backend == "CUDA" else {},
        runners=frozenset({RUNNER}),
        reported_by=(PLUGIN,),
    )


def _ordering(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[name] for name in _PCI_ORDER if name in environment}


def _is_real(listed: Listed) -> bool:
    """Return whether it is a device of its own: BLAS has no memory, and a meta device is made of others."""
    return listed.type in _KINDS and (listed.type in (0, 1, 2) or listed.total_bytes > 0)


def _remedy(device: Device) -> str:
    if device.kind is DeviceKind.CPU:
        return "build llama-cpp-python for this processor: pip install --no-binary llama-cpp-python llama-cpp-python"
    return f"update the driver, or install a llama-cpp-python built with {device.backend} for this GPU"
