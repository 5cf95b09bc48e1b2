"""What people are shown of models, whether a server tells of them or the disk does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from corral.conversation import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A loaded model; `expires_at` far in the future is for ever."""

    name: str
    digest: str
    size: int
    device_bytes: int
    context_tokens: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChoice:
    """The plugin's name that serves as renderer, parser or runner, why that one, and which distribution provides it."""

    name: str
    origin: str
    reason: str = ""
    provider: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownModel:
    """Everything known about an installed model."""

    family: str
    parameter_size: str
    quantization: str
    capabilities: tuple[str, ...]
    #: By the words renderer, parser and runner.
    choices: Mapping[str, ShownChoice]
    modelfile: str
    #: Lines of a name and a value each.
    parameters: str
    template: str
    system: str
    license: str
    requires: str
    metadata: Mapping[str, Json]
    tensors: tuple[tuple[str, str, tuple[int, ...]], ...] = ()

    def fact(self, key: str) -> Json:
        """Return a fact of the model's own architecture, such as `context_length`; None when the file does not say."""
        architecture = self.metadata.get("general.architecture", self.family)
        return self.metadata.get(f"{architecture}.{key}")
