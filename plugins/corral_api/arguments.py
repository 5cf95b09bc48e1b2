"""What JSON text stands for, where a client sends an object as text: the arguments of an earlier call."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from corral.errors import InvalidInput

if TYPE_CHECKING:
    from corral.conversation import JsonObject
    from corral.events import ToolCallEnd

_encode = msgspec.json.Encoder().encode


def json_object(value: dict[str, object]) -> JsonObject:
    """Return decoded JSON under its own type."""
    return cast("JsonObject", value)


def arguments_of(given: str | dict[str, object]) -> JsonObject:
    """Return a call's arguments, from an object or its JSON text; no text is no arguments."""
    if isinstance(given, dict):
        return json_object(given)
    try:
        return json_object(msgspec.json.decode(given or "{}", type=dict[str, object]))
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput(f"invalid tool call arguments: {error}") from error


def arguments_text(call: ToolCallEnd) -> str:
    """Return a call's arguments as JSON text."""
    return _encode(call.arguments).decode()
