"""How a placement is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.cli import plan
from corral.devices import Device, DeviceKind, Placement, Share
from corral.runners import Notice

if TYPE_CHECKING:
    import pytest

GIB = 1024**3
GPU = Device(backend="CUDA", id="GPU-1", name="CUDA0", kind=DeviceKind.GPU, total_bytes=8 * GIB, free_bytes=6 * GIB)
CPU = Device(backend="cpu", id="cpu", name="CPU", kind=DeviceKind.CPU, total_bytes=16 * GIB, free_bytes=12 * GIB)
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


def test_a_plan_shows_layers_bytes_and_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    plan._print(PLACEMENT, [GPU, CPU])

    assert capsys.readouterr().out.splitlines() == [
        "DEVICE    LAYERS    WEIGHTS    CACHE      COMPUTE    TOTAL",
        "CUDA0     20        3.0 GiB    1.0 GiB    1.0 GiB    5.0 GiB",
        "host      13        -          -          -          4.0 GiB",
        "",
        "  Memory",
        "    CUDA0    #####################... 7.0 GiB of 8.0 GiB taken",
        "    host     ############............ 8.0 GiB of 16.0 GiB taken",
        "",
        "  Load",
        "    context    4096 tokens x 2",
        "    cache      f16 keys, f16 values",
        "    batch      512 tokens",
        "    threads    8",
        "",
        "  note: the cache is kept in f16 (cache_type)",
        "  why: CUDA0 has room for 20 of 33 layers",
    ]


def test_memory_that_nobody_could_measure_has_no_bar() -> None:
    assert plan._bars(PLACEMENT, []) == [("CUDA0", "#####################... 7.0 GiB of 8.0 GiB taken")]
