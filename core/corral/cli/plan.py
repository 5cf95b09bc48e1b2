"""`corral plan`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from corral.cli import wording
from corral.cli.names import complete_models
from corral.cli.output import json_option, memory_bar, print_json, print_section, print_table

if TYPE_CHECKING:
    from corral.cli.invocation import Invocation
    from corral.conversation import JsonObject
    from corral.devices import Placement
    from corral.placement import Account, Explanation
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
    found = asyncio.run(_plan(invocation, model, options))
    if as_json:
        print_json(found)
    else:
        _print(found)


async def _plan(invocation: Invocation, name: str, options: JsonObject) -> Explanation:
    from corral.cli.backend import open_library
    from corral.cli.survey import survey
    from corral.placement import Conditions, Planner, Shortage

    model = await asyncio.to_thread(open_library(invocation).resolve, name)
    devices = (await survey(invocation)).devices
    planner = Planner(invocation.settings)
    found = await asyncio.to_thread(planner.explain, _with_options(invocation, model, options), devices, Conditions())
    if isinstance(found, Shortage):
        raise found.error()
    return found


def _with_options(invocation: Invocation, model: ModelSpec, options: JsonObject) -> ModelSpec:
    from dataclasses import replace

    from corral.engine.effective import effective_options

    return replace(model, load=effective_options(invocation.settings, model, options).load)


def _print(found: Explanation) -> None:
    placement, host = found.placement, found.host
    rows = [_row(account) for account in found.devices]
    sizes = (host.weights_bytes, host.cache_bytes, host.compute_bytes, host.parking_bytes)
    rows.append(("host", str(host.layers), *map(wording.memory, sizes), _left(host.left_bytes)))
    print_table(("DEVICE", "LAYERS", "WEIGHTS", "CACHE", "COMPUTE", "RESERVED", "LEFT"), rows)
    click.echo()
    print_section("Memory", _bars(found))
    print_section("Load", _load(placement))
    for notice in placement.notices:
        click.echo(f"  note: {notice.message} ({notice.code})")
    if placement.reason:
        click.echo(f"  why: {placement.reason}")
    if found.next_layer_bytes and found.devices:
        click.echo(f"  one layer more takes {wording.memory(found.next_layer_bytes)} on a GPU")


def _row(account: Account) -> tuple[str, ...]:
    sizes = (account.weights_bytes, account.cache_bytes, account.compute_bytes, account.reserved_bytes)
    return (account.device, str(account.layers), *map(wording.memory, sizes), _left(account.left_bytes))


def _left(left_bytes: int | None) -> str:
    if left_bytes is None:
        return "-"
    return wording.memory(left_bytes) if left_bytes >= 0 else f"{wording.memory(-left_bytes)} missing"


def _bars(found: Explanation) -> list[tuple[str, str]]:
    """Show how full each device would be, and the host."""
    bars = [(account.device, _bar(account)) for account in found.devices]
    host = found.host
    bars.append(("host", memory_bar(host.left_bytes, host.total_bytes, _BAR_WIDTH)))
    return [(name, bar) for name, bar in bars if bar]


def _bar(account: Account) -> str:
    # Without a layer it takes no buffers either; what is reserved stays free.
    taken = account.weights_bytes + account.cache_bytes + account.compute_bytes if account.layers else 0
    return memory_bar(account.free_bytes - taken, account.total_bytes, _BAR_WIDTH)


def _load(placement: Placement) -> list[tuple[str, str]]:
    return [
        ("context", f"{placement.context_tokens} tokens x {placement.parallel}"),
        ("cache", f"{placement.cache_type_k} keys, {placement.cache_type_v} values"),
        ("batch", f"{placement.batch_tokens} tokens"),
        ("threads", str(placement.threads)),
    ]
