"""Which layers go on which GPU: the table of layouts that the algorithm must give, and what holds for all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.placement.layout import Room, arrange, choose, count

MIB = 1024 * 1024


def lay_out(gpus, layers, num_gpu, **how):
    """Return the layers by GPU in the order that llama.cpp needs: by their first layer.

    Sizes are in MiB; i is an integrated GPU, r one of another backend.
    """
    ordered = sorted(gpus, key=lambda name: (name.startswith("i"), -gpus[name]))
    groups = [[name for name in ordered if name.startswith("r")], [name for name in ordered if not name.startswith("r")]]
    rooms = [[Room(free_bytes=gpus[name] * MIB, is_integrated=name.startswith("i")) for name in group] for group in groups]
    requested = None if num_gpu < 0 else num_gpu
    index, layout = choose([size * MIB for size in layers], rooms, requested=requested, **{"force": True, "spread": False, **how})
    names = groups[index]
    used = sorted((pair for pair in zip(names, layout, strict=True) if pair[1]), key=lambda pair: pair[1].start)
    return {name: list(placed) for name, placed in used}


@pytest.mark.parametrize(
    ("gpus", "layers", "num_gpu", "expected"),
    [
        ({}, [50] * 3, -1, {}),
        ({"g0": 256}, [50] * 3, -1, {"g0": [0, 1, 2]}),
        ({"g0": 256}, [100] * 4, -1, {"g0": [1, 2]}),
        ({"g0": 256}, [50] * 3, 1, {"g0": [1]}),
        ({"g0": 256}, [50] * 3, 0, {}),
        ({"g0": 256}, [100] * 4, 999, {"g0": [0, 1, 2, 3]}),
        ({"g0": 128, "g1": 256}, [50] * 3, -1, {"g1": [0, 1, 2]}),
        ({"g0": 128, "g1": 256}, [256, 50, 50], -1, {"g1": [0], "g0": [1, 2]}),
        ({"g0": 128, "g1": 256}, [256, 256, 50], -1, {"g1": [1]}),
        ({"g0": 128, "g1": 256}, [50] * 3, 1, {"g1": [1]}),
        ({"g0": 128, "g1": 256}, [256, 50, 50], 2, {"g1": [0], "g0": [1]}),
        ({"g0": 128, "g1": 256}, [256, 256, 50], 999, {"g1": [0, 1], "g0": [2]}),
        ({"g0": 128, "r0": 256}, [128, 128, 50], -1, {"r0": [0, 1]}),
        ({"i0": 256}, [50] * 3, -1, {"i0": [0, 1, 2]}),
        ({"d0": 128, "i0": 256}, [50] * 3, -1, {"i0": [0], "d0": [1, 2]}),
        ({"d0": 128, "i0": 256}, [50] * 2, -1, {"d0": [0, 1]}),
        ({"d0": 128, "i0": 256}, [100] * 4, -1, {"i0": [0, 1], "d0": [2]}),
        ({"d0": 128, "i0": 256}, [100] * 4, 1, {"d0": [2]}),
        ({"d0": 128, "i0": 256}, [100] * 4, 999, {"d0": [0], "i0": [1, 2, 3]}),
    ],
)
def test_layers_go_where_the_table_says(gpus, layers, num_gpu, expected):
    assert lay_out(gpus, layers, num_gpu) == expected


def test_spreading_uses_every_gpu_where_one_would_do():
    assert lay_out({"g0": 256, "g1": 256}, [50] * 4, -1, spread=True) == {"g0": [0, 1], "g1": [2, 3]}


@pytest.mark.parametrize(("free", "num_gpu"), [(256, -1), (0, 4), (256, 4)])
def test_while_others_can_go_a_layout_falls_short_instead_of_being_forced(free, num_gpu):
    placed = lay_out({"g0": free}, [100] * 4, num_gpu, force=False)

    assert sum(map(len, placed.values())) < 4


SIZES = st.lists(st.integers(1, 300), min_size=1, max_size=12)
ROOMS = st.lists(st.builds(Room, free_bytes=st.integers(0, 900), is_integrated=st.just(False)), max_size=4)


@given(layers=SIZES, rooms=ROOMS, spread=st.booleans())
def test_nothing_is_placed_where_it_does_not_fit(layers, rooms, spread):
    layout = arrange(layers, rooms, requested=None, force=True, spread=spread)

    for room, placed in zip(rooms, layout, strict=True):
        assert sum(layers[index] for index in placed) <= room.free_bytes


@given(layers=SIZES, rooms=ROOMS, requested=st.none() | st.integers(0, 14), spread=st.booleans())
def test_layers_are_contiguous_in_device_order_and_end_with_the_last_blocks(layers, rooms, requested, spread):
    layout = arrange(layers, rooms, requested=requested, force=True, spread=spread)

    placed = [index for part in layout for index in part]
    end = max(placed, default=0) + 1
    assert placed == list(range(end - len(placed), end))
    assert not placed or end >= len(layers) - 1
    assert requested is None or count(layout) <= requested


@given(layers=SIZES, rooms=ROOMS)
def test_no_gpu_is_used_that_is_not_needed(layers, rooms):
    layout = arrange(layers, rooms, requested=None, force=True, spread=False)
    used = max((number for number, placed in enumerate(layout, 1) if placed), default=0)

    if used > 1 and count(layout) == len(layers):
        fewer = arrange(layers, rooms[: used - 1], requested=None, force=True, spread=False)
        assert count(fewer) < len(layers)
