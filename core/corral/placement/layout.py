"""Lay layers out over GPUs: contiguous, in device order, evenly, on as few of them as hold all.

A model is not spread over groups of devices (backends). Layers are sizes in bytes; the last one is the output layer.
Devices are given in the order of preference, discrete ones first. The last layers are placed first, on the last device,
and what does not fit anywhere stays on the host.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

# Capacities are searched to this part of a device's memory.
_PRECISION = 1e-6
# More than any device has: how explicit layer counts override what seems to fit.
_BEYOND_ALL = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a device can give to layers, in bytes."""

    free_bytes: int
    is_integrated: bool = False


#: The layers of each device, by their indices; in the order of the devices.
Layout: TypeAlias = tuple[range, ...]


def count(layout: Layout) -> int:
    """Return how many layers a layout has placed."""
    return sum(len(layers) for layers in layout)


def choose(
    layers: Sequence[int],
    groups: Sequence[Sequence[Room]],
    *,
    requested: int | None,
    force: bool,
    spread: bool,
) -> tuple[int, Layout]:
    """Return the group that takes the most layers, by its index, and its layout. The first of equals wins."""
    layouts = [arrange(layers, rooms, requested=requested, force=force, spread=spread) for rooms in groups]
    best = max(range(len(layouts)), key=lambda index: count(layouts[index]))
    return best, layouts[best]


def arrange(layers: Sequence[int], rooms: Sequence[Room], *, requested: int | None, force: bool, spread: bool) -> Layout:
    """Return which layers go where; `requested` is an explicit number of them, which `force` places whether it fits or not.

    When not everything fits, the output layer is the first to stay on the host.
    """
    if requested is not None or spread:
        rooms = [Room(free_bytes=room.free_bytes) for room in rooms]
    layout = _arrange_all(layers, rooms, requested=requested, force=force, spread=spread)
    if count(layout) == len(layers):
        return layout
    return _arrange_all(layers[:-1], rooms, requested=requested, force=force, spread=spread)


def _arrange_all(layers: Sequence[int], rooms: Sequence[Room], *, requested: int | None, force: bool, spread: bool) -> Layout:
    wanted = len(layers) if requested is None else min(requested, len(layers))
    layout: Layout = tuple(range(0) for _ in rooms)
    for used in range(len(rooms) if spread else 1, len(rooms) + 1):
        forced = force and requested is not None and used == len(rooms)
        placed = _fill_classes(layers, rooms[:used], wanted, forced=forced)
        layout = (*placed, *(range(0) for _ in rooms[used:]))
        if count(layout) == wanted:
            break
    return layout


def _fill_classes(layers: Sequence[int], rooms: Sequence[Room], wanted: int, *, forced: bool) -> Layout:
    """Fill the discrete devices with the last layers, then the integrated ones with those before."""
    layout: Layout = ()
    end = len(layers)
    for _, members in itertools.groupby(rooms, key=lambda room: room.is_integrated):
        placed = _fill_evenly(layers[:end], list(members), wanted, forced=forced)
        end -= count(placed)
        wanted -= count(placed)
        layout = (*layout, *placed)
    return layout


def _fill_evenly(layers: Sequence[int], rooms: Sequence[Room], wanted: int, *, forced: bool) -> Layout:
    """Place as many layers as fit, at the smallest part of every device's memory that holds as many."""
    low, high = 0.0, _BEYOND_ALL if forced else 1.0
    best = _fill(layers, rooms, wanted, high)
    while high - low > _PRECISION:
        middle = (low + high) / 2
        layout = _fill(layers, rooms, wanted, middle)
        if count(layout) == count(best):
            high, best = middle, layout
        else:
            low = middle
    return best


def _fill(layers: Sequence[int], rooms: Sequence[Room], wanted: int, capacity: float) -> Layout:
    layout: list[range] = []
    end = len(layers)
    first = end - min(wanted, end)
    for room in reversed(rooms):
        start, free = end, int(room.free_bytes * capacity)
        while start > first and layers[start - 1] <= free:
            start -= 1
            free -= layers[start]
        layout.insert(0, range(start, end))
        end = start
    return tuple(layout)
