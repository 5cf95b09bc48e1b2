"""Cut a prompt into special tokens and runs of plain text, so that only control text can become a special token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from corral.conversation import SegmentKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from corral.conversation import Segment


@dataclass(frozen=True, slots=True)
class Special:
    """A token that stands for itself: a control token, or one that the model's makers defined.

    The library finds defined ones in any text, wherever they come from; `strips_*` swallow the white space beside them.
    """

    id: int
    is_defined: bool = False
    strips_left: bool = False
    strips_right: bool = False


#: A special token, or text to be tokenised as text.
Run: TypeAlias = "Special | str"


class Splitter:
    """Splits prompts for one vocabulary.

    Plain text is joined across segments before it is tokenised: a word that begins in a control segment and ends in a
    user's has the tokens of the whole word, as the model has seen them in training.
    """

    def __init__(self, specials: Mapping[str, Special]) -> None:
        self._specials = specials
        self._any = _alternatives(specials)
        # Defined tokens of white space (runs of newlines) are ordinary text; the others are marks that nobody may forge.
        self._forgeable = _alternatives(text for text, special in specials.items() if special.is_defined and text.strip())

    def split(self, segments: Iterable[Segment]) -> list[Run]:
        """Return the runs of a prompt; neighbouring runs of text must be tokenised one by one."""
        runs: list[Run] = []
        for text, is_control in _joined(segments):
            for part in self._control(text) if is_control else [text]:
                if runs and isinstance(part, str) and isinstance(runs[-1], str):
                    runs[-1] += part
                else:
                    runs.append(part)
        return [piece for run in _stripped(runs) for piece in self._unforged(run)]

    def _control(self, text: str) -> list[Run]:
        if self._any is None:
            return [text]
        return [self._specials.get(part, part) for part in self._any.split(text) if part]

    def _unforged(self, run: Run) -> list[Run]:
        """Cut a run inside each mark that it still holds: the mark is a user's, or made of two segments."""
        if isinstance(run, Special) or self._forgeable is None:
            return [run]
        cuts = [match.start() + 1 for match in self._forgeable.finditer(run)]
        return [run[start:end] for start, end in zip([0, *cuts], [*cuts, len(run)], strict=True)]


def _joined(segments: Iterable[Segment]) -> list[tuple[str, bool]]:
    joined: list[tuple[str, bool]] = []
    for segment in segments:
        is_control = segment.kind is SegmentKind.CONTROL
        if joined and joined[-1][1] == is_control:
            joined[-1] = (joined[-1][0] + segment.text, is_control)
        elif segment.text:
            joined.append((segment.text, is_control))
    return joined


def _stripped(runs: list[Run]) -> list[Run]:
    """Take away the white space that special tokens swallow."""
    found: list[Run] = []
    for before, run, after in zip([None, *runs], runs, [*runs[1:], None], strict=False):
        text = run
        if isinstance(text, str) and isinstance(before, Special) and before.strips_right:
            text = text.lstrip()
        if isinstance(text, str) and isinstance(after, Special) and after.strips_left:
            text = text.rstrip()
        if text != "":
            found.append(text)
    return found


def _alternatives(texts: Iterable[str]) -> re.Pattern[str] | None:
    longest_first = sorted(texts, key=len, reverse=True)
    return re.compile(f"({'|'.join(map(re.escape, longest_first))})") if longest_first else None
