"""Tell whether a text is in the language of a GBNF grammar; slow and simple, for tests of generated grammars."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""(?P<literal>"(?:\\.|[^"\\])*")|(?P<class>\[(?:\\.|[^\]\\])*\])|(?P<name>[a-zA-Z0-9-]+)|(?P<repeat>[*+?]|\{\d+(?:,\d*)?\})|(?P<mark>[()|])|(?P<space>\s+)""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:x([0-9A-F]{2})|u([0-9A-F]{4})|U([0-9A-F]{8})|(.))", re.DOTALL)
_NAMED = {"n": "\n", "t": "\t", "r": "\r"}


def accepts(grammar: str, text: str, root: str = "root") -> bool:
    """Return whether the whole text can be written by the grammar."""
    return len(text) in _Matcher(read_rules(grammar), text).ends(("rule", root), 0)


def read_rules(grammar: str) -> dict[str, tuple]:
    """Return the rules of a grammar by name, each an expression as a tree."""
    rules = {}
    for line in grammar.splitlines():
        name, _, body = line.partition(" ::= ")
        rules[name] = _Parser([(m.lastgroup, m.group()) for m in _TOKEN.finditer(body) if m.lastgroup != "space"]).alternatives()
    return rules


@dataclass
class _Parser:
    tokens: list[tuple[str | None, str]]
    at: int = 0

    def alternatives(self) -> tuple:
        choices = [self.sequence()]
        while self.at < len(self.tokens) and self.tokens[self.at][1] == "|":
            self.at += 1
            choices.append(self.sequence())
        return ("any", tuple(choices))

    def sequence(self) -> tuple:
        items = []
        while self.at < len(self.tokens) and self.tokens[self.at][1] not in ("|", ")"):
            kind, text = self.tokens[self.at]
            self.at += 1
            if kind == "repeat":
                items[-1] = ("repeat", items[-1], *_counts(text))
            elif text == "(":
                items.append(self.alternatives())
                self.at += 1
            elif kind == "literal":
                items.append(("literal", _unescape(text[1:-1])))
            elif kind == "class":
                items.append(("class", re.compile(_class(text), re.DOTALL)))
            else:
                items.append(("rule", text))
        return ("all", tuple(items))


@dataclass
class _Matcher:
    rules: dict[str, tuple]
    text: str
    memo: dict[tuple, frozenset[int]] = field(default_factory=dict)

    def ends(self, node: tuple, at: int) -> frozenset[int]:
        match node:
            case ("literal", str(word)):
                return frozenset({at + len(word)} if self.text.startswith(word, at) else ())
            case ("class", pattern):
                return frozenset({at + 1} if pattern.match(self.text[at : at + 1]) else ())
            case ("any", choices):
                return frozenset().union(*(self.ends(choice, at) for choice in choices))
            case ("all", items):
                found = frozenset({at})
                for item in items:
                    found = frozenset().union(*(self.ends(item, start) for start in found))
                return found
            case ("repeat", item, least, most):
                return self.repeated(item, least, most, at)
            case ("rule", name):
                if (name, at) not in self.memo:
                    self.memo[name, at] = self.ends(self.rules[name], at)
                return self.memo[name, at]
        raise AssertionError(node)

    def repeated(self, item: tuple, least: int, most: int, at: int) -> frozenset[int]:
        found, reached = frozenset({at}), frozenset({at} if least == 0 else ())
        for count in range(1, most + 1):
            found = frozenset().union(*(self.ends(item, start) for start in found)) - reached
            reached |= found if count >= least else frozenset()
            if not found:
                break
        return reached


def _counts(text: str) -> tuple[int, int]:
    if text in ("*", "+", "?"):
        return {"*": (0, 9999), "+": (1, 9999), "?": (0, 1)}[text]
    least, comma, most = text[1:-1].partition(",")
    return int(least), int(most) if most else 9999 if comma else int(least)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda m: chr(int(m[1] or m[2] or m[3], 16)) if not m[4] else _NAMED.get(m[4], m[4]), text)


def _class(text: str) -> str:
    r"""Return a class in the syntax of `re`, where \x, \u and \U mean the same."""
    return text.replace("[[", "[\\[")
