"""Models from a GGUF file on this machine: `file:/path/to/model.gguf`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities

if TYPE_CHECKING:
    from corral.fetching import ModelSource


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the scheme `file`."""
    return Capabilities(api_version=API_VERSION, sources=("file",))


@hookimpl
def open_source(reference: str) -> ModelSource:
    """Open a file as a source."""
    from corral_file.source import FileSource

    return FileSource(reference)
