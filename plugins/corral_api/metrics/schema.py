"""Which JSON health and readiness write."""

from __future__ import annotations

from msgspec import Struct


class HealthAnswer(Struct):
    """Whether the server is there, or takes requests."""

    status: str


class ErrorOut(Struct):
    """Any failure."""

    error: str
