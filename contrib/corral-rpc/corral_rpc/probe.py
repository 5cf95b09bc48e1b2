"""The devices of all servers, each asked by a child of its own, because a server that is gone makes llama.cpp abort."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from corral.devices import Absent, Device, DeviceKind
from corral.errors import CorralError, LoadFailed, Refused
from corral.workers import Deadlines, python_module, start_worker
from corral_llama_cpp.probe_wire import Listed, Listing
from corral_rpc.servers import CONNECT, SERVERS, Server, check, read_servers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from corral.settings import Settings

_RUNNERS = frozenset({"llama-cpp-rpc"})
#: When ggml aborts it would start a debugger, whose output buries the reason.
_QUIET = {"GGML_NO_BACKTRACE": "1"}
#: Part of the time that the host gives; the rest pays for ending children.
_SHARE = 0.85


def discover(settings: Settings, environment: Mapping[str, str] | None = None) -> list[Device | Absent]:
    """Return the devices of every server that may be used, and why the others are not."""
    variables = os.environ if environment is None else environment
    try:
        servers = read_servers(variables)
    except CorralError as error:
        return [Absent("RPC", str(error))]
    if not servers:
        return [Absent("RPC", "no server is named", f"name servers in {SERVERS}, as host:port")]
    return asyncio.run(_ask_all(servers, variables, settings.probe_timeout_s * _SHARE))


async def _ask_all(servers: Sequence[Server], environment: Mapping[str, str], limit_s: float) -> list[Device | Absent]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_ask(server, environment, limit_s)) for server in servers]
    answers = dict(zip(servers, (task.result() for task in tasks), strict=True))
    reached = {server: listing for server, listing in answers.items() if isinstance(listing, Listing)}
    absent = [answer for answer in answers.values() if isinstance(answer, Absent)]
    return [*describe(reached), *absent]


async def _ask(server: Server, environment: Mapping[str, str], limit_s: float) -> Listing | Absent:
    deadlines = Deadlines(start_s=limit_s, stall_s=limit_s, load_s=limit_s, grace_s=0.0, kill_s=1.0)
    argv = python_module("corral_rpc.probe_child", server.endpoint)
    name = f"the probe of {server.endpoint}"
    no_replies: tuple[type[object], ...] = ()
    try:
        check(server, environment)
        async with start_worker(argv, name=name, reply_types=no_replies, deadlines=deadlines, environment=_QUIET) as worker:
            return await worker.ready(Listing)
    except Refused as error:
        return Absent("RPC", str(error))
    except LoadFailed as error:
        return Absent("RPC", str(error), "see that the server runs, and that no other model is loaded on it: it has one client at a time")


def describe(reached: Mapping[Server, Listing]) -> list[Device]:
    """Return the devices of the servers that answered, and the processor, which this runner can use as well.

    llama.cpp numbers devices in the order of connecting, so each of them says to which servers, and in which order.
    """
    connect = ",".join(server.endpoint for server in reached)
    lent = [(server, listed) for server, listing in reached.items() for listed in listing.devices if listed.backend == "RPC"]
    devices = [
        Device(
            backend="RPC",
            id=f"{server.endpoint}/{listed.ordinal}",
            name=f"RPC{number}",
            kind=DeviceKind.GPU,
            description=f"device {listed.ordinal} of {server.endpoint}",
            total_bytes=_at_most(listed.total_bytes, server.limit_bytes),
            free_bytes=_at_most(listed.free_bytes, server.limit_bytes),
            environment={CONNECT: connect},
            runners=_RUNNERS,
        )
        for number, (server, listed) in enumerate(lent)
    ]
    processors = [listed for listing in reached.values() for listed in listing.devices if listed.backend == "cpu"]
    return [*devices, *map(_processor, processors[:1])]


def _processor(listed: Listed) -> Device:
    return Device(backend="cpu", id="cpu", name=listed.name, kind=DeviceKind.CPU, description=listed.description, runners=_RUNNERS)


def _at_most(size: int, limit: int | None) -> int:
    return size if limit is None else min(size, limit)
