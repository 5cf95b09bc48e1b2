"""Find stop strings in a stream of text, wherever the pieces end."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class StopSearch:
    """Searches for many strings at once, in time linear in the text (Aho and Corasick's automaton).

    Text that may still become a stop string is held back; what is returned never contains one.
    """

    def __init__(self, stops: Iterable[str]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._fail: list[int] = [0]
        self._depth: list[int] = [0]
        #: Length of the longest stop string that ends in each state; 0 for none.
        self._match: list[int] = [0]
        for stop in stops:
            self._insert(stop)
        self._link()
        self._state = 0
        self._held = ""

    def feed(self, text: str) -> tuple[str, str]:
        """Take text; return what is safe to show, and the stop string that was found (empty for none)."""
        self._held += text
        for index in range(len(self._held) - len(text), len(self._held)):
            self._step(self._held[index])
            if length := self._match[self._state]:
                return self._found(index + 1, length)
        keep = self._depth[self._state]
        shown = self._held[: len(self._held) - keep]
        self._held = self._held[len(shown) :]
        return shown, ""

    def finish(self) -> str:
        """Return the text that was held back; the stream is over."""
        held, self._held, self._state = self._held, "", 0
        return held

    def _found(self, end: int, length: int) -> tuple[str, str]:
        shown, stop = self._held[: end - length], self._held[end - length : end]
        self._held, self._state = "", 0
        return shown, stop

    def _step(self, letter: str) -> None:
        state = self._state
        while state and letter not in self._next[state]:
            state = self._fail[state]
        self._state = self._next[state].get(letter, 0)

    def _insert(self, stop: str) -> None:
        state = 0
        for letter in stop:
            state = self._next[state].get(letter) or self._grow(state, letter)
        if stop:
            self._match[state] = len(stop)

    def _grow(self, state: int, letter: str) -> int:
        self._next[state][letter] = child = len(self._next)
        self._next.append({})
        self._fail.append(0)
        self._depth.append(self._depth[state] + 1)
        self._match.append(0)
        return child

    def _link(self) -> None:
        queue = deque(self._next[0].values())
        while queue:
            state = queue.popleft()
            for letter, child in self._next[state].items():
                self._fail[child] = self._fallback(self._fail[state], letter)
                self._match[child] = self._match[child] or self._match[self._fail[child]]
                queue.append(child)

    def _fallback(self, state: int, letter: str) -> int:
        while state and letter not in self._next[state]:
            state = self._fail[state]
        return self._next[state].get(letter, 0)
