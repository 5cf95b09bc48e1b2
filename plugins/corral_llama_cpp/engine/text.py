"""Turn the bytes of tokens into text that can be shown: whole code points, no stop string."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from corral_llama_cpp.engine.stops import StopSearch

if TYPE_CHECKING:
    from collections.abc import Sequence


class TextStream:
    """The text of one answer. Bytes that are not UTF-8 become U+FFFD, as soon as that is certain."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._search = StopSearch(stops) if any(stops) else None
        #: The stop string that ended the text; empty until then.
        self.stop = ""

    def feed(self, data: bytes) -> str:
        """Take the bytes of one token and return the text that they complete."""
        text = self._decoder.decode(data)
        if self._search is None or not text:
            return text
        shown, self.stop = self._search.feed(text)
        return shown

    def finish(self) -> str:
        """Return what was held back; nothing when a stop string ended the text."""
        if self.stop:
            return ""
        rest = self._decoder.decode(b"", final=True)
        if self._search is None:
            return rest
        shown, self.stop = self._search.feed(rest)
        return shown if self.stop else shown + self._search.finish()
