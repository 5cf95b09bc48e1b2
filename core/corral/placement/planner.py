"""Plan models that are on disk: read their headers, once each, and place them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.gguf import read_header
from corral.placement.footprint import measure
from corral.placement.place import place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from corral.devices import Device
    from corral.gguf import Header
    from corral.placement.footprint import Footprint
    from corral.placement.verdict import Conditions, Verdict
    from corral.settings import Settings
    from corral.spec import ModelSpec

# Headers of large vocabularies take tens of milliseconds to read; models in use are few.
_KEPT = 64


class Planner:
    """Places models; remembers the footprints of those it has seen. Reads files: call it in a thread."""

    def __init__(self, settings: Settings, read: Callable[[Path], Header] = read_header) -> None:
        self._settings = settings
        self._read = read
        self._seen: dict[tuple[Path, Path | None, float], Footprint] = {}

    def plan(self, model: ModelSpec, devices: Sequence[Device], conditions: Conditions) -> Verdict:
        """Return where a model goes, or why it does not; raise InvalidGGUF and StoreError for a file that can't be read."""
        return place(model, self.footprint(model), devices, self._settings, conditions)

    def footprint(self, model: ModelSpec) -> Footprint:
        """Return what a model takes wherever it is put."""
        key = (model.path, model.projector, model.path.stat().st_mtime)
        if key not in self._seen:
            while len(self._seen) >= _KEPT:
                self._seen.pop(next(iter(self._seen)))
            projector = model.projector.stat().st_size if model.projector else 0
            self._seen[key] = measure(self._read(model.path), projector_bytes=projector)
        return self._seen[key]
