"""The states a child goes through."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """STARTING until the child says something, LOADING until it is ready, STOPPING once asked to leave."""

    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    STOPPING = "stopping"
    GONE = "gone"
