"""The models on disk, as the rest of corral sees them."""

from __future__ import annotations

from corral.library.library import DiskLibrary, open_library
from corral.library.plugins import Plugins

__all__ = ["DiskLibrary", "Plugins", "open_library"]
