"""Write random texts of a GBNF grammar, to see whether others read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gbnf_recogniser import read_rules

if TYPE_CHECKING:
    from random import Random

#: What a class may choose from; signs of tags and of JSON more often than others.
_LETTERS = (*map(chr, range(32, 127)), *'<>/{}[]()"\\|=:,.\n\t' * 2, *"éß日🙂")


class Writer:
    """Writes texts of one grammar; past `size` characters it takes the shortest way to the end."""

    def __init__(self, grammar: str, random: Random, size: int = 200) -> None:
        self._rules = read_rules(grammar)
        self._random = random
        self._size = size
        self._shortest: dict[str, float] = dict.fromkeys(self._rules, float("inf"))
        while (found := {name: self._least(body) for name, body in self._rules.items()}) != self._shortest:
            self._shortest = found

    def write(self) -> str:
        """Return a text of the grammar."""
        written: list[str] = []
        pending: list[tuple] = [("rule", "root")]
        while pending:
            match pending.pop():
                case ("literal", word):
                    written.append(word)
                case ("class", pattern):
                    written.append(self._random.choice([letter for letter in _LETTERS if pattern.match(letter)]))
                case ("any", choices):
                    pending.append(self._choice(choices, is_long=len(written) > self._size))
                case ("all", items):
                    pending += reversed(items)
                case ("repeat", item, least, most):
                    more = 0 if len(written) > self._size else self._random.randint(0, 3)
                    pending += [item] * min(least + more, most)
                case ("rule", name):
                    pending.append(self._rules[name])
        return "".join(written)

    def _choice(self, choices: tuple, *, is_long: bool) -> tuple:
        return min(choices, key=self._least) if is_long else self._random.choice(choices)

    def _least(self, node: tuple) -> float:
        """Return the length of the shortest text of an expression, as far as it is known."""
        match node:
            case ("literal", word):
                return len(word)
            case ("class", _):
                return 1
            case ("any", choices):
                return min(map(self._least, choices))
            case ("all", items):
                return sum(map(self._least, items))
            case ("repeat", item, least, _):
                return least * self._least(item) if least else 0
            case ("rule", name):
                return self._shortest[name]
        raise AssertionError(node)
