"""How long a client wants a model to stay."""

from __future__ import annotations

from corral.errors import InvalidInput
from corral.settings import parse_keep_alive


def keep_alive_s(value: bool | float | str | None) -> float | None:
    """Return seconds, inf for ever, None for the server's choice; raise InvalidInput for what is no duration.

    Ollama wants a unit in a text here and takes a bare number in its environment; corral takes both in both places.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        raise InvalidInput("Unsupported type: 'bool'")
    try:
        return parse_keep_alive(value)
    except ValueError as error:
        raise InvalidInput(f"keep_alive: '{value}' is {error}") from error
