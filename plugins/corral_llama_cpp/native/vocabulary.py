"""Text to tokens and back, in the vocabulary of one model."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import llama_cpp.llama_cpp as ll

from corral_llama_cpp.engine.runs import Special, Splitter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from corral.conversation import Segment

_NONE = -1
_SPECIAL = ll.LLAMA_TOKEN_ATTR_CONTROL | ll.LLAMA_TOKEN_ATTR_USER_DEFINED | ll.LLAMA_TOKEN_ATTR_UNKNOWN


class Vocabulary:
    """The tokens of one model. Any thread may use it."""

    def __init__(self, model: int) -> None:
        self.pointer = ll.llama_model_get_vocab(model)
        self.size = int(ll.llama_vocab_n_tokens(self.pointer))
        self.bos = int(ll.llama_vocab_bos(self.pointer))
        self.eos = int(ll.llama_vocab_eos(self.pointer))
        self.sep = int(ll.llama_vocab_sep(self.pointer))
        self.adds_bos = bool(ll.llama_vocab_get_add_bos(self.pointer)) and self.bos != _NONE
        self.adds_eos = bool(ll.llama_vocab_get_add_eos(self.pointer))
        self.adds_sep = bool(ll.llama_vocab_get_add_sep(self.pointer)) and self.sep != _NONE
        self._pieces: dict[int, bytes] = {}
        specials = self._specials()
        self._splitter = Splitter(specials)
        marked = {special.id for special in specials.values()} | {self.eos, int(ll.llama_vocab_eot(self.pointer))}
        #: The tokens that end an answer.
        self.ends = frozenset(token for token in marked if self.holds(token) and ll.llama_vocab_is_eog(self.pointer, token))

    @property
    def start_token(self) -> int:
        """Return a token to start from when there is no prompt."""
        return next((token for token in (self.bos, self.eos) if token != _NONE), 0)

    @property
    def end(self) -> int:
        """Return the token that closes an input to embed."""
        return self.sep if self.eos == _NONE else self.eos

    def tokens(self, segments: Iterable[Segment]) -> list[int]:
        """Return the tokens of a prompt, with one BOS when the model wants it.

        Only control segments may become special tokens: what a user writes is always plain text.
        """
        found: list[int] = []
        for run in self._splitter.split(segments):
            found += [run.id] if isinstance(run, Special) else self.plain(run)
        if self.adds_bos and found[:1] != [self.bos]:
            found.insert(0, self.bos)
        return found

    def plain(self, text: str) -> list[int]:
        """Return the tokens of plain text, without BOS and EOS."""
        return self._tokenize(text, add_special=False)

    def whole_input(self, text: str) -> list[int]:
        """Return the tokens of an input to embed, with the special tokens around it that the model was trained with."""
        return self._tokenize(text, add_special=True)

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

    def _tokenize(self, text: str, *, add_special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        while True:
            buffer = (ctypes.c_int32 * room)()
            count = int(ll.llama_tokenize(self.pointer, data, len(data), buffer, room, add_special, False))
            if count >= 0:
                return buffer[:count]
            room = -count

    def _specials(self) -> dict[str, Special]:
        specials: dict[str, Special] = {}
        for token in range(self.size):
            attributes = int(ll.llama_vocab_get_attr(self.pointer, token))
            if attributes & _SPECIAL and (text := self.piece(token).decode("utf-8", "replace")):
                specials[text] = Special(
                    token,
                    is_defined=bool(attributes & ll.LLAMA_TOKEN_ATTR_USER_DEFINED),
                    strips_left=bool(attributes & ll.LLAMA_TOKEN_ATTR_LSTRIP),
                    strips_right=bool(attributes & ll.LLAMA_TOKEN_ATTR_RSTRIP),
                )
        return specials
