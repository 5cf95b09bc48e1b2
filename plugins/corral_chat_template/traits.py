"""Know what a chat template understands, and how it begins an answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What probing a template told."""

    system: bool = True
    object_arguments: bool = True
    #: The control text that begins an assistant's turn.
    header: str = ""

    def after_header(self, text: str) -> str:
        """Return what follows the last assistant header of a text; nothing when there is none."""
        _, found, after = text.rpartition(self.header) if self.header else ("", "", "")
        return after if found else ""
