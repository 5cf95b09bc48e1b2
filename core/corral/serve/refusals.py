"""Why the server does not even hand a request to an API."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A status and a reason, with headers that belong to them."""

    status: int
    message: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
