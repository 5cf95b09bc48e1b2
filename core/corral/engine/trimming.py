"""Which turns of a history still fit the context; whole turns go, the oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from corral.conversation import Message

Turn: TypeAlias = "tuple[Message, ...]"


def turns(messages: Sequence[Message]) -> list[Turn]:
    """Group messages so that a call stays with its results, and a result with the call that asked for it."""
    grouped: list[list[Message]] = []
    for message in messages:
        if message.role == "tool" and grouped and _awaits_result(grouped[-1]):
            grouped[-1].append(message)
        else:
            grouped.append([message])
    return [tuple(turn) for turn in grouped]


def _awaits_result(turn: Sequence[Message]) -> bool:
    return bool(turn[0].tool_calls) or turn[-1].role == "tool"


def without_oldest(messages: Sequence[Message], dropped: int) -> tuple[Message, ...]:
    """Return the messages without their `dropped` oldest turns; system messages and the last turn always stay."""
    kept: list[Message] = []
    left = dropped
    grouped = turns(messages)
    for index, turn in enumerate(grouped):
        droppable = turn[0].role != "system" and index < len(grouped) - 1
        if droppable and left > 0:
            left -= 1
        else:
            kept.extend(turn)
    return tuple(kept)


def droppable_turns(messages: Sequence[Message]) -> int:
    """Return how many turns may be dropped at most."""
    return sum(1 for turn in turns(messages)[:-1] if turn[0].role != "system")


async def fewest_dropped(fits: Callable[[int], Awaitable[bool]], most: int) -> int:
    """Find by bisection the smallest number of dropped turns that fits; `most` when nothing does.

    Each probe costs a render and a count of tokens, so a history of n turns costs about log2(n) of them.
    """
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        if await fits(middle):
            high = middle
        else:
            low = middle + 1
    return low
