"""What every script asks its client, and how it tells what it saw: `python with_<client>.py URL MODEL METHOD ...`."""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Callable

URL, MODEL, *WANTED = sys.argv[1:]
QUESTION = "What is the weather in Paris?"


class Place(BaseModel):
    """Where the weather is asked for."""

    city: str


TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Look up the weather of a city.", "parameters": Place.model_json_schema()},
}


def get_weather(city: str) -> str:
    """Look up the weather of a city."""
    return f"sunny in {city}"


def report(*methods: Callable[[], object]) -> None:
    """Run the wanted methods one after the other and print what each gave, or how it failed, as one line of JSON."""
    chosen = [method for method in methods if method.__name__ in WANTED]
    print(json.dumps({method.__name__: _outcome(method) for method in chosen}))


def _outcome(method: Callable[[], object]) -> object:
    try:
        value = method()
        return asyncio.run(value) if asyncio.iscoroutine(value) else value
    except Exception as failure:  # noqa: BLE001 - how a client fails is what a test asks
        traceback.print_exc()
        return {"failure": type(failure).__name__}
