"""Build a prompt of segments: control text may become special tokens, user text never does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.conversation import Prompt, Segment, SegmentKind

if TYPE_CHECKING:
    from collections.abc import Iterable


class PromptBuilder:
    """Collects segments; neighbours of one kind become one segment, empty text none."""

    def __init__(self) -> None:
        self._segments: list[Segment] = []
        self._pieces: list[str] = []
        self._kind = SegmentKind.CONTROL
        self._size = 0
        self._answer_at: int | None = None

    def control(self, text: str) -> PromptBuilder:
        """Add text of the format itself."""
        return self._add(text, SegmentKind.CONTROL)

    def user(self, text: str) -> PromptBuilder:
        """Add text that somebody else wrote: messages, names, schemas, arguments."""
        return self._add(text, SegmentKind.USER)

    def media(self, placeholder: str, data: bytes) -> PromptBuilder:
        """Add an image or a sound; the placeholder is what the prompt's text shows for it."""
        self._close()
        self._size += len(placeholder)
        self._segments.append(Segment(placeholder, SegmentKind.MEDIA, data))
        return self

    def begin_answer(self) -> PromptBuilder:
        """Say that all text from here on is the prompt's suffix: what the answer goes on with."""
        self._answer_at = self._size
        return self

    def build(self, *, stop: Iterable[str] = (), suffix: str = "") -> Prompt:
        """Return the prompt; `suffix` is the text after the last assistant header, for those who did not call `begin_answer`."""
        self._close()
        if self._answer_at is not None:
            suffix = "".join(segment.text for segment in self._segments)[self._answer_at :]
        return Prompt(segments=tuple(self._segments), stop=tuple(stop), suffix=suffix)

    def _add(self, text: str, kind: SegmentKind) -> PromptBuilder:
        if text and kind is not self._kind:
            self._close()
            self._kind = kind
        if text:
            self._pieces.append(text)
            self._size += len(text)
        return self

    def _close(self) -> None:
        if self._pieces:
            self._segments.append(Segment("".join(self._pieces), self._kind))
            self._pieces.clear()
