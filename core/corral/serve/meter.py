"""How many requests there were, of what kind and outcome, and how long they took."""

from __future__ import annotations

import logging
from collections import defaultdict
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_log = logging.getLogger("corral.request")

#: Upper bounds of a histogram's buckets: from a health check to a long answer.
_BOUNDS_S = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Outcome(Protocol):
    """An answer, once it has begun."""

    request_id: str
    status: int
    #: When the first byte of the body went out, by `perf_counter`; 0 until then.
    first_byte_at: float


class Meter:
    """Counters of a server, by Prometheus-style name."""

    def __init__(self) -> None:
        self._totals: defaultdict[str, float] = defaultdict(float)
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
            self._note(method, api, outcome, started)

    def refused(self, method: str, api: str, request_id: str, status: int) -> None:
        """Count a request that reached no API; it took no time worth a place in the histograms."""
        self._count(api, status)
        _log.info("%s %s %s %d, refused", request_id, api, method, status)

    def values(self) -> Mapping[str, float]:
        """Return the figures."""
        return {**self._totals, "corral_http_requests_in_flight": float(self._in_flight)}

    def _note(self, method: str, api: str, outcome: Outcome, started: float) -> None:
        seconds = perf_counter() - started
        # 499 is what nginx and Ollama call a client that left before the answer began.
        status = outcome.status or 499
        self._count(api, status)
        self._observe("corral_http_seconds", api, seconds)
        if outcome.first_byte_at:
            self._observe("corral_http_first_byte_seconds", api, outcome.first_byte_at - started)
        _log.info("%s %s %s %d in %.3f s", outcome.request_id, api, method, status, seconds)

    def _count(self, api: str, status: int) -> None:
        self._totals[f'corral_http_requests_total{{api="{api}",status="{status}"}}'] += 1

    def _observe(self, name: str, api: str, seconds: float) -> None:
        for bound in _BOUNDS_S:
            self._totals[f'{name}_bucket{{api="{api}",le="{bound:g}"}}'] += seconds <= bound
        self._totals[f'{name}_bucket{{api="{api}",le="+Inf"}}'] += 1
        self._totals[f'{name}_count{{api="{api}"}}'] += 1
        self._totals[f'{name}_sum{{api="{api}"}}'] += seconds
