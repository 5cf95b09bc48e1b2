"""Break lines between words as text arrives."""

from __future__ import annotations

from unicodedata import combining, east_asian_width


class WordWrapper:
    """Takes text piece by piece and returns it with line ends put in; a word that is not over yet is held back."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._column = 0
        self._word = ""
        #: Part of a word that is longer than a line is printed already: the rest must stay with it.
        self._is_torn = False

    def feed(self, text: str) -> str:
        """Return what can be printed now."""
        return "".join(self._character(character) for character in text)

    def finish(self) -> str:
        """Return the last word."""
        return self._flush()

    def _character(self, character: str) -> str:
        if character in " \n":
            printed = self._flush() + character
            self._is_torn = False
            self._column = 0 if character == "\n" else self._column + 1
            return printed
        self._word += character
        if _columns(self._word) < self._width:
            return ""
        printed, self._is_torn = self._flush(), True
        return printed

    def _flush(self) -> str:
        """Return the word so far, on a new line when it does not fit in this one."""
        word, self._word = self._word, ""
        length = _columns(word)
        is_over = self._column + length > self._width
        if is_over and self._column and not self._is_torn:
            self._column = length
            return f"\n{word}"
        self._column += length
        return word


def _columns(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
