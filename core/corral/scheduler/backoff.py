"""How long a model that keeps failing is left alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.errors import Busy

if TYPE_CHECKING:
    from pathlib import Path

    from corral.spec import ModelSpec

#: Failures in a row that are simply tried again: one crash must not make the next request wait.
_FREE = 2
#: Seconds after the failures that follow; the last one is for all further ones.
_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)


@dataclass(frozen=True, slots=True)
class _Record:
    failures: int
    until: float
    reason: str


class Backoff:
    """Failures in a row, by model."""

    def __init__(self) -> None:
        self._records: dict[Path, _Record] = {}

    def fail(self, path: Path, reason: str, now: float) -> None:
        """Count a load that failed or a runner that died."""
        failures = 1 + (self._records[path].failures if path in self._records else 0)
        pause_s = _PAUSES_S[min(failures - _FREE, len(_PAUSES_S)) - 1] if failures > _FREE else 0.0
        self._records[path] = _Record(failures, now + pause_s, reason)

    def succeed(self, path: Path) -> None:
        """Forget a model's failures."""
        self._records.pop(path, None)

    def refusal(self, model: ModelSpec, now: float) -> Busy | None:
        """Return what to tell a request while its model is left alone."""
        record = self._records.get(model.path)
        if record is None or now >= record.until:
            return None
        wait_s = record.until - now
        message = f"model '{model.name}' failed {record.failures} times in a row ({record.reason}); trying again in {wait_s:.0f} s"
        return Busy(message, retry_after_s=wait_s)
