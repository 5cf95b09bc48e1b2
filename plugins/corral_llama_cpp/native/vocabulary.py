"""Text to tokens and back, in the vocabulary of one model."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import llama_cpp.llama_cpp as ll

from corral.conversation import SegmentKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from corral.conversation import Segment

_NONE = -1


class Vocabulary:
    """The tokens of one model. Any thread may use it."""

    def __init__(self, model: int) -> None:
        self.pointer = ll.llama_model_get_vocab(model)
        self.size = int(ll.llama_vocab_n_tokens(self.pointer))
        self.bos = int(ll.llama_vocab_bos(self.pointer))
        self.eos = int(ll.llama_vocab_eos(self.pointer))
        self.adds_bos = bool(ll.llama_vocab_get_add_bos(self.pointer)) and self.bos != _NONE
        self.adds_eos = bool(ll.llama_vocab_get_add_eos(self.pointer)) and self.eos != _NONE
        self._pieces: dict[int, bytes] = {}
        self._ends: frozenset[int] | None = None

    @property
    def ends(self) -> frozenset[int]:
        """Return the tokens that end an answer."""
        if self._ends is None:
            self._ends = frozenset(t for t in range(self.size) if ll.llama_vocab_is_eog(self.pointer, t))
        return self._ends

    @property
    def start_token(self) -> int:
        """Return a token to start from when there is no prompt."""
        return next((token for token in (self.bos, self.eos) if token != _NONE), 0)

    def tokens(self, segments: Iterable[Segment]) -> list[int]:
        """Return the tokens of a prompt, with one BOS when the model wants it.

        Only control segments may become special tokens: what a user writes is always plain text.
        """
        found: list[int] = []
        for text, is_control in _merged(segments):
            found += self.plain(text, special=is_control)
        if self.adds_bos and found[:1] != [self.bos]:
            found.insert(0, self.bos)
        return found

    def plain(self, text: str, *, special: bool = False) -> list[int]:
        """Return the tokens of one text, without BOS and EOS; `special` lets special tokens be written out."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 2
        while True:
            buffer = (ctypes.c_int32 * room)()
            count = int(ll.llama_tokenize(self.pointer, data, len(data), buffer, room, False, special))
            if count >= 0:
                return buffer[:count]
            room = -count

    def whole_input(self, text: str) -> list[int]:
        """Return the tokens of an input to embed, with the special tokens around it that the model was trained with."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        buffer = (ctypes.c_int32 * room)()
        count = int(ll.llama_tokenize(self.pointer, data, len(data), buffer, room, True, False))
        return buffer[:count]

    def piece(self, token: int) -> bytes:
        """Return the bytes of a token; special ones are written out."""
        piece = self._pieces.get(token)
        if piece is None:
            piece = self._pieces[token] = self._piece(token)
        return piece

    def text(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, special ones included."""
        return b"".join(map(self.piece, tokens)).decode("utf-8", "replace")

    def holds(self, token: int) -> bool:
        """Return whether there is such a token."""
        return 0 <= token < self.size

    def _piece(self, token: int) -> bytes:
        if not self.holds(token):
            return b""
        room = 64
        while True:
            buffer = ctypes.create_string_buffer(room)
            count = int(ll.llama_token_to_piece(self.pointer, token, buffer, room, 0, True))
            if count >= 0:
                return buffer.raw[:count]
            room = -count


def _merged(segments: Iterable[Segment]) -> list[tuple[str, bool]]:
    """Join neighbours of the same kind, so that a word cut into two segments has the tokens of the whole word."""
    merged: list[tuple[str, bool]] = []
    for segment in segments:
        is_control = segment.kind is SegmentKind.CONTROL
        if merged and merged[-1][1] == is_control:
            merged[-1] = (merged[-1][0] + segment.text, is_control)
        elif segment.text:
            merged.append((segment.text, is_control))
    return merged
