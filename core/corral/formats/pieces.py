"""Feed a reader with an answer piece by piece, from the state that the prompt's suffix implies."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral.events import FinishReason, ParserEvent
    from corral.formats.output import EventWriter
    from corral.formats.source import Source, Steps


class PieceParser:
    """Runs a reader over pieces of text; the reader reads `source` and writes to `writer`.

    The suffix is read first, as if the model had written it, and what it says is not said again.
    """

    def __init__(self, source: Source, writer: EventWriter, steps: Steps[None], suffix: str = "") -> None:
        self._source = source
        self._writer = writer
        self._steps = steps
        self._is_finished = False
        if suffix:
            self._advance(suffix)
            self._writer.forget_text(self._source.size + self._source.recorded_size)

    def feed(self, piece: str) -> list[ParserEvent]:
        """Take the next piece of output and return what it completes."""
        if self._is_finished:
            raise RuntimeError("the parser has finished; make a new one for the next answer")
        self._advance(piece)
        return self._writer.drain()

    def finish(self, reason: FinishReason) -> list[ParserEvent]:  # noqa: ARG002
        """Take the end of the output and return all that was held back."""
        if self._is_finished:
            return []
        self._is_finished = True
        self._source.closed = True
        self._advance("")
        return self._writer.drain()

    def _advance(self, piece: str) -> None:
        self._source.push(piece)
        next(self._steps, None)
