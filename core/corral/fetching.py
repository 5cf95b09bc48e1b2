"""How a model gets here: what a source promises, and how long work tells of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from corral.conversation import JsonObject


class Cancelled(Exception):
    """Raised by a report of long work that nobody waits for any more; let it pass."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One line about long work: a status for people, and bytes when they are known."""

    status: str
    digest: str = ""
    total: int = 0
    completed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file of a model that a source can fetch. `digest` is `sha256:<hex>` when the source knows it beforehand, else empty.

    `media_type` is one of Ollama's layer types (`application/vnd.ollama.image.model`, ...).
    """

    media_type: str
    name: str
    size: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a reference stands for: the files to fetch, and config keys (renderer, parser, ...) the source knows."""

    reference: str
    parts: tuple[Part, ...]
    config: JsonObject
    #: The name under which the model is installed when the user gives none.
    name: str = ""
    #: The bytes of a registry's manifest, to be stored as they are; empty for sources that have none.
    manifest: bytes = b""


class ModelSource(Protocol):
    """A place that models come from, opened for one reference. Its methods block; corral calls them in a thread."""

    def resolve(self) -> Resolved:
        """Find out what the reference stands for; raise SourceError when there is no such model."""

    def fetch(self, part: Part, target: Path, report: Callable[[int, int], None]) -> None:
        """Write a part to `target`, calling `report(completed, total)` as bytes arrive. Resumes a target that exists.

        Raises SourceError, and Cancelled when `report` raises it.
        """

    def close(self) -> Iterable[str]:
        """Clean up and return warnings worth showing."""
