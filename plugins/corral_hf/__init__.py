"""Models from the Hugging Face Hub: `hf:org/repo`, `hf:org/repo:Q4_K_M`, `hf:org/repo:file.gguf@revision`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities

if TYPE_CHECKING:
    from corral.fetching import ModelSource


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the scheme `hf`."""
    return Capabilities(api_version=API_VERSION, sources=("hf",))


@hookimpl
def open_source(reference: str) -> ModelSource:
    """Open a repository of the Hub."""
    from corral_hf.source import HubSource, read_reference

    return HubSource(read_reference(reference))
