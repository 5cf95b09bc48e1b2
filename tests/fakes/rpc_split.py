"""Split a real model over RPC servers, in a process whose llama.cpp has RPC; prints what happened as JSON.

Arguments: the model, and the address and process id of each of the two servers. The second server is killed at the end.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corral.conversation import Prompt, Segment
from corral.devices import Device, DeviceKind, Placement
from corral.discovery import Discovery
from corral.errors import NoRoom, RunnerDied
from corral.options import LoadOptions, Sampling
from corral.placement import Conditions, Planner, Shortage
from corral.plugins import PluginHost
from corral.runners import Generation, Piece
from corral.settings import Settings
from corral.spec import Choice, ModelSpec, Origin
from corral.testing import model_spec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MIB = 1024 * 1024
PROMPT = Prompt(segments=(Segment("<|im_start|>user\nCount from one to ten.<|im_end|>\n<|im_start|>assistant\n"),))
SAMPLING = Sampling(temperature=0.0, num_predict=24, seed=1)


class Splitter:
    """Plans with corral's own discovery and placement, and runs what was planned."""

    def __init__(self, path: Path, servers: Sequence[str]) -> None:
        self._host = PluginHost.load()
        self._settings = Settings()
        self._planner = Planner(self._settings)
        self._servers = servers
        # Left to itself, llama.cpp uses flash attention on the processor and not over RPC, and sums up in another order.
        load = LoadOptions(num_ctx=512, num_batch=64, num_thread=1, num_parallel=1, flash_attention=False)
        self._model = replace(model_spec("smollm2:latest"), path=path, load=load)

    def with_runner(self, runner: str) -> ModelSpec:
        return replace(self._model, runner=Choice(name=runner, origin=Origin.EXPLICIT))

    async def devices(self, *limits_mib: int) -> list[Device]:
        os.environ["CORRAL_RPC_SERVERS"] = ",".join(f"{server}={limit}" for server, limit in zip(self._servers, limits_mib, strict=True))
        found = await Discovery(self._host, self._settings).devices()
        # Those of one memory would have the order of their ports.
        return sorted(found, key=lambda device: device.name)

    def plan(self, devices: Sequence[Device], *, whole: bool = False) -> Placement | Shortage:
        return self._planner.plan(self.with_runner("llama-cpp-rpc"), devices, Conditions(whole=whole))

    async def lose(self, placement: Placement, pid: int) -> str:
        """Kill a server below a loaded model, and return what its next request is told."""
        async with self._host.spawn_runner(self.with_runner("llama-cpp-rpc"), placement, self._settings) as running:
            os.kill(pid, signal.SIGKILL)
            try:
                async for _ in running.generate(Generation(prompt=PROMPT, sampling=SAMPLING)):
                    continue
            except RunnerDied as error:
                return str(error)
        return ""

    async def answer(self, placement: Placement, runner: str = "llama-cpp-rpc") -> tuple[str, dict[str, int]]:
        async with self._host.spawn_runner(self.with_runner(runner), placement, self._settings) as running:
            outputs = [output async for output in running.generate(Generation(prompt=PROMPT, sampling=SAMPLING))]
            return "".join(output.text for output in outputs if isinstance(output, Piece)), dict(running.info.memory)


def layers(placement: Placement) -> dict[str, int]:
    return {share.device.name: share.layers for share in placement.shares}


def sizes(placement: Placement, memory: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return the planned and the real bytes of each server; llama.cpp names buffers by the server's own number of a device."""
    planned = {share.device.id.removesuffix("/0"): share.total_bytes for share in placement.shares}
    return {"planned": planned, "real": {server: memory[f"RPC0[{server}]"] for server in planned}}


def limits_for(placement: Placement, parts: int, part: float) -> int:
    """Return the MiB that make each of `parts` servers hold that part of the layers, all else included."""
    (share,) = placement.shares
    overhead = 457 * MIB + share.compute_bytes
    return int((overhead + (share.weights_bytes + share.cache_bytes) * part / parts) // MIB) + 4


async def main(path: Path, servers: Sequence[str], last_pid: int) -> dict[str, Any]:
    splitter = Splitter(path, servers)
    everything = await splitter.devices(4000, 3000)
    one = splitter.plan(everything)
    assert isinstance(one, Placement)
    host_only = splitter.plan([device for device in everything if device.kind is DeviceKind.CPU])
    assert isinstance(host_only, Placement)
    results: dict[str, Any] = {"cpu": (await splitter.answer(host_only, "llama-cpp"))[0], "one": layers(one)}
    for name, part in (("full", 1.0), ("partial", 0.5)):
        limit = limits_for(one, 2, part)
        placement = splitter.plan(await splitter.devices(limit, limit))
        assert isinstance(placement, Placement)
        text, memory = await splitter.answer(placement)
        results[name] = {
            "layers": layers(placement),
            "text": text,
            "reason": placement.reason,
            "output_on_host": placement.output_on_host,
            **sizes(placement, memory),
        }
    small = await splitter.devices(470, 470)
    results["lost"] = await splitter.lose(placement, last_pid)
    too_big = splitter.plan(small, whole=True)
    assert isinstance(too_big, Shortage)
    error = too_big.error()
    assert isinstance(error, NoRoom)
    results["too big"] = {"required": error.required_bytes, "available": error.available_bytes, "message": str(error)}
    return results


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(Path(sys.argv[1]), sys.argv[2::2], int(sys.argv[-1])))))
