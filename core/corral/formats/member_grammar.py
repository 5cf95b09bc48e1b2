"""Write a grammar for members in a fixed order, some of them optional, and for names that are none of those declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats.gbnf import literal, outside
from corral.formats.strict_json import escape_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from corral.formats.gbnf import Rules


def in_order(rules: Rules, members: Sequence[tuple[str, bool]], other: str = "") -> str:
    """Return the expression for members with commas between them, in order, each with whether it is required.

    There is a rule for "the members from here on, with something before them" and one for "with nothing before them", so
    the grammar grows linearly with the members, however many are optional. `other` is for any number of members at the end.
    """
    ws = rules.json("ws")
    later = f'("," {ws} {other})*' if other else '""'
    first = f'({other} ("," {ws} {other})*)?' if other else '""'
    for member, is_required in reversed(members):
        follow_up = rules.add("more", later)
        alternative = rules.add("start", first)
        later = f'"," {ws} {member} {follow_up}' if is_required else f'("," {ws} {member})? {follow_up}'
        first = f"{member} {follow_up}" if is_required else f"{member} {follow_up} | {alternative}"
    return rules.add("members", first)


def other_key(rules: Rules, names: Iterable[str]) -> str:
    """Return the expression for a JSON string that is none of those names."""
    rules.json("string")
    plain = [escape_json(name) for name in names if "\\" not in escape_json(name)]
    return f'"\\"" {_unlike(rules, plain)} "\\""' if plain else "string"


def _unlike(rules: Rules, names: Sequence[str]) -> str:
    """Return a rule for what may follow a common beginning so that none of the names' rests comes out."""
    by_letter: dict[str, list[str]] = {}
    for name in names:
        if name:
            by_letter.setdefault(name[0], []).append(name[1:])
    choices = [f"{literal(letter)} {_unlike(rules, rests)}" for letter, rests in by_letter.items()]
    stop = [*by_letter, '"', "\\", *map(chr, range(32))]
    choices.append(f"{outside(stop)} char*")
    return rules.add("other", " | ".join(choices if "" in names else [*choices, '""']))
