"""Break lines between words as text arrives."""

from __future__ import annotations

from unicodedata import combining, east_asian_width


class WordWrapper:
    """Takes text piece by piece and returns it with line ends put in; a word that is not over yet is held back."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._column = 0
        self._word = ""

    def feed(self, text: str) -> str:
        """Return what can be printed now."""
        return "".join(self._character(character) for character in text)

    def finish(self) -> str:
        """Return the last word."""
        return self._end_word("")

    def _character(self, character: str) -> str:
        if character not in " \n":
            self._word += character
            return self._end_word("") if _columns(self._word) >= self._width else ""
        return self._end_word(character)

    def _end_word(self, separator: str) -> str:
        word, self._word = self._word, ""
        length = _columns(word)
        start = ""
        if self._column and self._column + length > self._width:
            start, self._column = "\n", 0
        self._column = 0 if separator == "\n" else self._column + length + len(separator)
        return start + word + separator


def _columns(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
