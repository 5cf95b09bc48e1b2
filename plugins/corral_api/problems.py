"""Which HTTP status an error has: one table for all dialects."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from corral import errors

_log = logging.getLogger("corral.api")

#: The first class that fits gives the status; what is not a CorralError is a bug, and a 500.
_STATUSES: tuple[tuple[type[errors.CorralError], int], ...] = (
    (errors.InvalidInput, 400),
    # The model is there; what it needs to run is not installed, and trying again does not help.
    (errors.UnknownName, 400),
    (errors.NotFound, 404),
    (errors.Refused, 403),
    (errors.Busy, 503),
    (errors.CorralError, 500),
)

_CODES: tuple[tuple[type[errors.CorralError], str], ...] = (
    (errors.ContextExceeded, "context_length_exceeded"),
    (errors.ModelNotFound, "model_not_found"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error as a client is told of it."""

    status: int
    message: str
    retry_after_s: float | None = None
    #: A word for programs, where OpenAI has one.
    code: str = ""
    #: There is no such route, or it has another method.
    is_routing: bool = False


def problem_of(error: BaseException) -> Problem:
    """Return what to tell a client of an error; a bug is logged and not described."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), None)
    if status is None:
        _log.error("a request failed because of a bug", exc_info=error)
        return Problem(status=500, message="internal error; the server's log has the details")
    retry_after_s = error.retry_after_s if isinstance(error, errors.Busy) else None
    code = next((code for kind, code in _CODES if isinstance(error, kind)), "")
    return Problem(status=status, message=str(error), retry_after_s=retry_after_s, code=code)
