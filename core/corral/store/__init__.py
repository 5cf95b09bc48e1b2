"""Models on disk, in Ollama's layout."""

from __future__ import annotations

from corral.store.blobs import Holding, digest_file
from corral.store.catalog import Installed
from corral.store.manifest import Layer, Manifest
from corral.store.pruning import Pruned
from corral.store.store import Store

__all__ = ["Holding", "Installed", "Layer", "Manifest", "Pruned", "Store", "digest_file"]
