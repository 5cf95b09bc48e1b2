"""`corral config`."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import click

from corral.cli.invocation import warn
from corral.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from corral.cli.invocation import Invocation


@click.command("config")
@json_option
@click.pass_obj
def command(invocation: Invocation, *, as_json: bool) -> None:
    """Show every setting and where it came from.

    A flag wins over CORRAL_X, that over OLLAMA_X, that over the default.
    """
    from corral.settings import explain, surprises

    settings = explain(invocation.flags, os.environ)
    if as_json:
        print_json([{"setting": s.variable, "value": shown(s.field, s.value), "origin": s.origin, "summary": s.summary} for s in settings])
        return
    print_table(("SETTING", "VALUE", "ORIGIN"), [(s.variable, shown(s.field, s.value), s.origin) for s in settings])
    for surprise in surprises(os.environ):
        warn(surprise)


def shown(field: str, value: object) -> str:
    """Return a setting's value as people read it."""
    match value:
        case None:
            return "auto" if field == "flash_attention" else "-"
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ",".join(value) or "-"
        case float() if math.isinf(value):
            return "forever"
        case float():
            return f"{value:g}s"
        case _:
            return str(value)
