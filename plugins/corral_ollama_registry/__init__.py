"""Models by their plain names, `llama3.2:1b`, from registries that speak Ollama's protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Variable

if TYPE_CHECKING:
    from corral.fetching import ModelSource


_PRIVATE = Variable(
    name="CORRAL_PRIVATE_REGISTRIES",
    summary="registries of one's own network that may be pulled from, host[:port], http:// before those without TLS; separated by commas",
)


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the scheme that names without one stand for."""
    return Capabilities(api_version=API_VERSION, sources=("registry",), variables=(_PRIVATE,))


@hookimpl
def open_source(reference: str) -> ModelSource:
    """Open a name as a source."""
    import os

    from corral_ollama_registry.connection import Policy
    from corral_ollama_registry.source import RegistrySource

    return RegistrySource(reference, Policy.read(os.environ.get(_PRIVATE.name, "")))
