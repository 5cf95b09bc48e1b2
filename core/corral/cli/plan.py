"""`corral plan`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from corral.cli import wording
from corral.cli.names import complete_models
from corral.cli.output import json_option, memory_bar, print_json, print_section, print_table
from corral.devices import DeviceKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.cli.invocation import Invocation
    from corral.conversation import JsonObject
    from corral.devices import Device, Placement, Share
    from corral.spec import ModelSpec

_BAR_WIDTH = 24


@click.command("plan")
@click.argument("model", shell_complete=complete_models)
@click.option("--num-ctx", type=int, metavar="TOKENS", help="Tokens per sequence.")
@click.option("--num-gpu", type=int, metavar="LAYERS", help="Layers on GPUs; 0 is the CPU only.")
@click.option("--num-parallel", type=int, metavar="N", help="Sequences at once.")
@json_option
@click.pass_obj
def command(
    invocation: Invocation, *, model: str, num_ctx: int | None, num_gpu: int | None, num_parallel: int | None, as_json: bool
) -> None:
    """Show where a model would be placed if it were loaded now, and why not on more devices."""
    options: JsonObject = {"num_ctx": num_ctx, "num_gpu": num_gpu, "num_parallel": num_parallel}
    placement, devices = asyncio.run(_plan(invocation, model, options))
    if as_json:
        print_json(placement)
    else:
        _print(placement, devices)


async def _plan(invocation: Invocation, name: str, options: JsonObject) -> tuple[Placement, Sequence[Device]]:
    from corral.cli.backend import open_library
    from corral.cli.survey import survey
    from corral.placement import Conditions, Planner, Shortage

    model = await asyncio.to_thread(open_library(invocation).resolve, name)
    devices = (await survey(invocation)).devices
    planner = Planner(invocation.settings)
    verdict = await asyncio.to_thread(planner.plan, _with_options(invocation, model, options), devices, Conditions())
    if isinstance(verdict, Shortage):
        raise verdict.error()
    return verdict, devices


def _with_options(invocation: Invocation, model: ModelSpec, options: JsonObject) -> ModelSpec:
    from dataclasses import replace

    from corral.engine.effective import effective_options

    return replace(model, load=effective_options(invocation.settings, model, options).load)


def _print(placement: Placement, devices: Sequence[Device]) -> None:
    rows = [_row(share) for share in placement.shares]
    host_layers = placement.total_layers - placement.gpu_layers
    rows.append(("host", str(host_layers), "-", "-", "-", wording.memory(placement.host_bytes)))
    print_table(("DEVICE", "LAYERS", "WEIGHTS", "CACHE", "COMPUTE", "TOTAL"), rows)
    click.echo()
    print_section("Memory", _bars(placement, devices))
    print_section("Load", _load(placement))
    for notice in placement.notices:
        click.echo(f"  note: {notice.message} ({notice.code})")
    if placement.reason:
        click.echo(f"  why: {placement.reason}")


def _row(share: Share) -> tuple[str, ...]:
    sizes = (share.weights_bytes, share.cache_bytes, share.compute_bytes, share.total_bytes)
    return (share.device.name, str(share.layers), *map(wording.memory, sizes))


def _bars(placement: Placement, devices: Sequence[Device]) -> list[tuple[str, str]]:
    """Show how full each device would be, and the host."""
    bars = [(share.device.name, _bar(share.device, share.total_bytes)) for share in placement.shares]
    host = [("host", _bar(device, placement.host_bytes)) for device in devices if device.kind is DeviceKind.CPU]
    return [(name, bar) for name, bar in (*bars, *host[:1]) if bar]


def _bar(device: Device, more_bytes: int) -> str:
    left = None if device.free_bytes is None else max(device.free_bytes - more_bytes, 0)
    return memory_bar(left, device.total_bytes, _BAR_WIDTH)


def _load(placement: Placement) -> list[tuple[str, str]]:
    return [
        ("context", f"{placement.context_tokens} tokens x {placement.parallel}"),
        ("cache", f"{placement.cache_type_k} keys, {placement.cache_type_v} values"),
        ("batch", f"{placement.batch_tokens} tokens"),
        ("threads", str(placement.threads)),
    ]
