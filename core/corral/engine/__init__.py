"""The story of one request, from a model's name to the events of its answer."""

from __future__ import annotations

from corral.engine.engine import CorralEngine

__all__ = ["CorralEngine"]
