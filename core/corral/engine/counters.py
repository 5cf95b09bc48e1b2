"""Count what answers are made of, for metrics and doctor."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from corral.events import Diagnostic, Finish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral.events import Event

Seen = TypeVar("Seen", bound="Event")


class Counters:
    """Totals since the engine was made, by Prometheus-style name."""

    def __init__(self) -> None:
        self._totals: Counter[str] = Counter()

    def note(self, event: Seen) -> Seen:
        """Count an event and hand it on."""
        if isinstance(event, Diagnostic):
            self._totals[f'corral_diagnostics_total{{code="{event.code}"}}'] += 1
        elif isinstance(event, Finish):
            self._totals["corral_answers_total"] += 1
            self._totals["corral_prompt_tokens_total"] += event.usage.prompt_tokens
            self._totals["corral_cached_tokens_total"] += event.usage.cached_tokens
            self._totals["corral_completion_tokens_total"] += event.usage.completion_tokens
        return event

    def values(self) -> Mapping[str, float]:
        """Return the totals."""
        return dict(self._totals)
