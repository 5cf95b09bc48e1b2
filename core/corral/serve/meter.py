"""How many requests there were, of what kind and outcome, and how long they took."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_log = logging.getLogger("corral.request")


class Outcome(Protocol):
    """An answer, once it has begun."""

    request_id: str
    status: int


class Meter:
    """Counters of a server, by Prometheus-style name."""

    def __init__(self) -> None:
        self._totals: Counter[str] = Counter()
        self._in_flight = 0

    @contextmanager
    def request(self, method: str, api: str, outcome: Outcome) -> Iterator[None]:
        """Count one request, from its arrival to the end of its answer."""
        started = perf_counter()
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            self._note(method, api, outcome, perf_counter() - started)

    def values(self) -> Mapping[str, float]:
        """Return the figures."""
        return {**self._totals, "corral_http_requests_in_flight": float(self._in_flight)}

    def _note(self, method: str, api: str, outcome: Outcome, seconds: float) -> None:
        # 499 is what nginx and Ollama call a client that left before the answer began.
        status = outcome.status or 499
        self._totals[f'corral_http_requests_total{{api="{api}",status="{status}"}}'] += 1
        self._totals[f'corral_http_seconds_total{{api="{api}"}}'] += seconds  # type: ignore[assignment]
        _log.info("%s %s %s %d in %.3f s", outcome.request_id, api, method, status, seconds)
