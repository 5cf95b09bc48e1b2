"""Which settings are in force, and where each of them came from."""

from __future__ import annotations

from corral.settings.loading import Setting, explain, load_settings, surprises
from corral.settings.reading import parse_duration, parse_keep_alive
from corral.settings.values import Settings

__all__ = ["Setting", "Settings", "explain", "load_settings", "parse_duration", "parse_keep_alive", "surprises"]
