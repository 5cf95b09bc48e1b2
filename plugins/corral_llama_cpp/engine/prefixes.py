"""How much two lists of tokens have in common."""

from __future__ import annotations


def common_prefix(first: list[int], second: list[int]) -> int:
    """Return how many leading tokens two lists share, by bisection over slices (which compare in C)."""
    low, high = 0, min(len(first), len(second))
    if first[:high] == second[:high]:
        return high
    while low < high - 1:
        middle = (low + high) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle
    return low
