"""Sequences outside of the cache come and go within their budget."""

from __future__ import annotations

from corral_llama_cpp.engine.checkpoints import Checkpoint
from corral_llama_cpp.engine.parking import Parking

OLD, NEW = list(range(20)), list(range(100, 120))


def test_a_sequence_that_left_while_room_was_made_for_it_stays_away() -> None:
    parking = Parking(budget_bytes=10)
    parking.park(OLD, b"x" * 8)
    found, _ = parking.find(OLD, whole=False)
    assert found is not None

    parking.park(NEW, b"x" * 8)
    parking.touch(found)
    parking.drop(found)

    assert len(parking) == 1
    assert parking.find(OLD, whole=False) == (None, 0)


def test_a_sequence_is_parked_with_the_checkpoints_that_fit():
    parking = Parking(budget_bytes=20)
    checkpoints = tuple(Checkpoint(length, bytes([length]) * 6) for length in (8, 10, 19))

    parking.park(OLD, b"x" * 8, checkpoints)

    found, length = parking.find([*OLD[:15], 99], whole=True)
    assert (length, [c.length for c in found.checkpoints]) == (8, [8, 19])
