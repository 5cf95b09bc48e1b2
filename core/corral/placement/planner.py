"""Plan models that are on disk: read their headers, once each, and place them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from corral.errors import StoreError
from corral.gguf import named, read_header
from corral.placement.explaining import explain
from corral.placement.footprint import measure
from corral.placement.place import place
from corral.placement.site import survey
from corral.placement.verdict import Conditions, Shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from corral.devices import Device
    from corral.gguf import Header
    from corral.placement.explaining import Explanation
    from corral.placement.footprint import Footprint
    from corral.placement.verdict import Verdict
    from corral.settings import Settings
    from corral.spec import ModelSpec

# Headers of large vocabularies take tens of milliseconds to read; models in use are few.
_KEPT = 64


class Planner:
    """Places models; remembers the footprints of those it has seen. Reads files: call it in a thread.

    Every method raises InvalidGGUF and StoreError for a file that can't be read, and InvalidOption for an unknown device.
    """

    def __init__(self, settings: Settings, read: Callable[[Path], Header] = read_header, *, system: str = sys.platform) -> None:
        self._settings = settings
        self._read = read
        self._system = system
        self._seen: dict[tuple[Path, int, float], Footprint] = {}

    def plan(self, model: ModelSpec, devices: Sequence[Device], conditions: Conditions) -> Verdict:
        """Return where a model goes, or why it does not."""
        return place(model, self.footprint(model), devices, self._settings, conditions, system=self._system)

    def explain(self, model: ModelSpec, devices: Sequence[Device], conditions: Conditions) -> Explanation | Shortage:
        """Return where a model goes with the figures behind it, or why it does not."""
        verdict = self.plan(model, devices, conditions)
        if isinstance(verdict, Shortage):
            return verdict
        site = survey(model, self.footprint(model), devices, self._settings, conditions, system=self._system)
        return explain(site, verdict)

    def footprint(self, model: ModelSpec) -> Footprint:
        """Return what a model takes wherever it is put."""
        try:
            companions = sum(path.stat().st_size for path in (model.projector, model.draft, *model.adapters) if path)
            key = (model.path, companions, model.path.stat().st_mtime)
        except OSError as error:
            raise StoreError(f"the weights of '{model.name}' can't be read: {error.strerror} ({error.filename})") from error
        if key not in self._seen:
            while len(self._seen) >= _KEPT:
                self._seen.pop(next(iter(self._seen)))
            with named(model.name):
                self._seen[key] = measure(self._read(model.path), companion_bytes=companions)
        return self._seen[key]
