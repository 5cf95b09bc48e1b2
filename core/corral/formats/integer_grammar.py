"""Write a grammar for the integers between two bounds."""

from __future__ import annotations

from corral.formats.gbnf import literal, one_of

#: Digits of the longest integer that is written when there is no upper bound.
MAX_DIGITS = 16


def integers(least: int | None, most: int | None) -> str:
    """Return the expression for the integers from `least` to `most`; None is without bound."""
    choices: list[str] = []
    if least is None or least < 0:
        highest = -1 if most is None else min(most, -1)
        if least is None or least <= highest:
            choices.append(f'"-" {_natural(-highest, None if least is None else -least)}')
    if most is None or most >= 0:
        choices.append(_natural(max(least or 0, 0), most))
    return one_of(choices)


def _natural(least: int, most: int | None) -> str:
    top = 10**MAX_DIGITS - 1 if most is None else most
    choices: list[str] = []
    for size in range(len(str(least)), len(str(top)) + 1):
        low = max(least, 10 ** (size - 1) if size > 1 else 0)
        high = min(top, 10**size - 1)
        choices.append(_between(str(low), str(high)))
    return one_of(choices)


def _between(low: str, high: str) -> str:
    """Return the expression for the numbers from low to high, which have as many digits."""
    rest = len(low) - 1
    if low.strip("0") == "" and high.strip("9") == "" and low:
        return f"[0-9]{{{len(low)}}}"
    if low == high:
        return literal(low)
    if low[0] == high[0]:
        return f"{literal(low[0])} {_between(low[1:], high[1:])}"
    choices = []
    first, last = int(low[0]), int(high[0])
    if low[1:].strip("0"):
        choices.append(f"{literal(low[0])} {_between(low[1:], '9' * rest)}")
        first += 1
    if high[1:].strip("9"):
        choices.append(f"{literal(high[0])} {_between('0' * rest, high[1:])}")
        last -= 1
    if first <= last:
        choices.append(f"[{first}-{last}]" + (f" [0-9]{{{rest}}}" if rest else ""))
    return one_of(choices)
