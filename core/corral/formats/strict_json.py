"""Read and write JSON as its standard says: no NaN, no infinities, bounded depth, exact integers."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral.conversation import Json, JsonObject

#: A JSON number; `\d` would also match digits of other scripts.
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

#: Longer numbers are refused: CPython stops converting at 4300 digits, and no tool needs a hundred.
MAX_NUMBER_LENGTH = 400
#: Deeper nesting is refused, well below CPython's recursion limit.
MAX_DEPTH = 200


def load_json(text: str) -> Json:
    """Return the value of JSON text; raises ValueError for anything that is not strictly JSON."""
    try:
        value: Json = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value


def load_object(text: str) -> JsonObject | None:
    """Return the JSON object of the text, or None if it is not one."""
    try:
        value = load_json(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def dump_json(value: Json) -> str:
    """Return JSON as chat templates write it: spaces after separators, non-ASCII text and HTML characters as they are."""
    return json.dumps(value, ensure_ascii=False)


def template_text(value: Json) -> str:
    """Return a value as Jinja templates print it: objects and lists as JSON, everything else as Python's `str` does."""
    return dump_json(value) if isinstance(value, dict | list) else str(value)


def escape_json(text: str) -> str:
    """Return text as it stands inside a JSON string, without the quotes."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def is_number(text: str) -> bool:
    """Return whether the text is a JSON number that a float or an int can hold."""
    return len(text) <= MAX_NUMBER_LENGTH and NUMBER.fullmatch(text) is not None and math.isfinite(float(text))


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large")
    return value
