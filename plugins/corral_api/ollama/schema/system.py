"""Which JSON the server writes about itself, and about what went wrong."""

from __future__ import annotations

from msgspec import Struct


class ErrorOut(Struct):
    """Any failure, alone or as the last line of a stream."""

    error: str


class VersionAnswer(Struct):
    """The answer of /api/version: the Ollama version whose API this is, and corral's own."""

    version: str
    corral: str


class CloudState(Struct):
    """Whether the cloud is off, and who said so."""

    disabled: bool
    source: str


class StatusAnswer(Struct):
    """The answer of /api/status."""

    cloud: CloudState


class Recommendations(Struct):
    """The answer of /api/experimental/model-recommendations: corral recommends nothing."""

    recommendations: list[str] = []
