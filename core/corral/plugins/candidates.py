"""Which plugins are installed, and which of them were selected."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import metadata, util
from typing import TYPE_CHECKING

from corral.errors import NotFound
from corral.markers import GROUP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import ModuleType

#: The distribution whose plugins come first, so that a stranger's plugin can't take a name away from them.
OWN_DISTRIBUTION = "corral"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A plugin that can be loaded: what an entry point says, before anything is imported."""

    name: str
    load: Callable[[], object]
    distribution: str = "local"
    version: str = "0"
    #: Where it is imported from, as the entry point writes it.
    location: str = ""

    @property
    def provider(self) -> str:
        """Return the distribution and its version, as messages name them."""
        return f"{self.distribution} {self.version}"

    @property
    def title(self) -> str:
        """Return what messages call the plugin."""
        return f"plugin '{self.name}' ({self.provider})"


def installed() -> list[Candidate]:
    """Return every plugin that the installed distributions announce."""
    return [_candidate(entry) for entry in metadata.entry_points(group=GROUP)]


def _candidate(entry: metadata.EntryPoint) -> Candidate:
    name, version = (entry.dist.name, entry.dist.version) if entry.dist else ("unknown", "0")
    return Candidate(name=entry.name, load=entry.load, distribution=name, version=version, location=entry.value)


def from_file(path: Path) -> Candidate:
    """Return the plugin in a file, for trying one that is not packaged; `corral_shout.py` is called shout."""
    name = path.stem.removeprefix("corral_").replace("_", "-")
    return Candidate(name=name, load=lambda: _import_file(path), location=str(path))


def _import_file(path: Path) -> ModuleType:
    spec = util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_order(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Sort by distribution and name, ours first: the order never depends on when something was installed."""
    return sorted(candidates, key=lambda c: (c.distribution != OWN_DISTRIBUTION, c.distribution, c.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which plugins to load. Words match a plugin's or a distribution's name; none selected means all."""

    selected: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()

    @classmethod
    def read(cls, words: Iterable[str]) -> Selection:
        """Read words as `-p` takes them: `NAME` selects, `no:NAME` drops."""
        words = [word.strip() for word in words if word.strip()]
        return cls(
            selected=frozenset(word for word in words if not word.startswith("no:")),
            dropped=frozenset(word.removeprefix("no:") for word in words if word.startswith("no:")),
        )

    def check(self, candidates: Iterable[Candidate]) -> None:
        """Raise NotFound for a word that matches nothing: a misspelt `no:` would silently keep a plugin."""
        known = {word for candidate in candidates for word in (candidate.name, candidate.distribution)}
        for word in sorted((self.selected | self.dropped) - known):
            close = get_close_matches(word, known, n=1)
            hint = f"did you mean '{close[0]}'? " if close else ""
            raise NotFound(f"no plugin or distribution is called '{word}' ({hint}installed: {', '.join(sorted(known))})")

    def reason_to_skip(self, candidate: Candidate) -> str:
        """Return why a plugin is not to be loaded; empty when it is."""
        words = {candidate.name, candidate.distribution}
        if words & self.dropped:
            return f"dropped by -p no:{min(words & self.dropped)}"
        if self.selected and not words & self.selected:
            return "not selected"
        return ""
