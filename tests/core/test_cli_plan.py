"""How a placement is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corral.cli import plan
from corral.devices import Device, DeviceKind, Placement, Share
from corral.placement import Account, Explanation, HostAccount
from corral.runners import Notice

if TYPE_CHECKING:
    import pytest

GIB = 1024**3
GPU = Device(backend="CUDA", id="GPU-1", name="CUDA0", kind=DeviceKind.GPU, total_bytes=8 * GIB, free_bytes=6 * GIB)
PLACEMENT = Placement(
    shares=(Share(device=GPU, layers=20, weights_bytes=3 * GIB, cache_bytes=GIB, compute_bytes=GIB),),
    total_layers=33,
    host_bytes=4 * GIB,
    context_tokens=4096,
    parallel=2,
    batch_tokens=512,
    threads=8,
    notices=(Notice(code="cache_type", message="the cache is kept in f16"),),
    reason="CUDA0 has room for 20 of 33 layers",
)
USED = Account(
    device="CUDA0",
    description="a card",
    backend="CUDA",
    kind="gpu",
    total_bytes=8 * GIB,
    free_bytes=6 * GIB,
    reserved_bytes=GIB // 2,
    layers=20,
    weights_bytes=3 * GIB,
    cache_bytes=GIB,
    compute_bytes=GIB,
    left_bytes=GIB // 2,
)
UNUSED = replace(USED, device="CUDA1", layers=0, weights_bytes=0, cache_bytes=0, free_bytes=GIB, left_bytes=-GIB // 2)
HOST = HostAccount(
    layers=13,
    weights_bytes=2 * GIB,
    cache_bytes=GIB,
    compute_bytes=GIB,
    parking_bytes=GIB // 4,
    total_bytes=16 * GIB,
    free_bytes=12 * GIB,
    left_bytes=31 * GIB // 4,
    swap_bytes=0,
)
FOUND = Explanation(placement=PLACEMENT, devices=(USED, UNUSED), host=HOST, next_layer_bytes=GIB, reasons=(PLACEMENT.reason,))


def test_a_plan_shows_the_books_of_each_device_and_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    plan._print(FOUND)

    assert capsys.readouterr().out.splitlines() == [
        "DEVICE    LAYERS    WEIGHTS    CACHE      COMPUTE    RESERVED    LEFT",
        "CUDA0     20        3.0 GiB    1.0 GiB    1.0 GiB    512 MiB     512 MiB",
        "CUDA1     0         0 MiB      0 MiB      1.0 GiB    512 MiB     512 MiB missing",
        "host      13        2.0 GiB    1.0 GiB    1.0 GiB    256 MiB     7.8 GiB",
        "",
        "  Memory",
        "    CUDA0    #####################... 7.0 GiB of 8.0 GiB taken",
        "    CUDA1    #####################... 7.0 GiB of 8.0 GiB taken",
        "    host     ############............ 8.2 GiB of 16.0 GiB taken",
        "",
        "  Load",
        "    context    4096 tokens x 2",
        "    cache      f16 keys, f16 values",
        "    batch      512 tokens",
        "    threads    8",
        "",
        "  note: the cache is kept in f16 (cache_type)",
        "  why: CUDA0 has room for 20 of 33 layers",
        "  one layer more takes 1.0 GiB on a GPU",
    ]


def test_memory_that_nobody_could_measure_has_no_bar() -> None:
    unknown = replace(HOST, free_bytes=None, left_bytes=None)

    assert plan._bars(replace(FOUND, devices=(), host=unknown)) == []
