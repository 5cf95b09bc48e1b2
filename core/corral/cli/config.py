"""`corral config`."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, NamedTuple

import click

from corral.cli.invocation import warn
from corral.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from corral.cli.invocation import Invocation
    from corral.spec import Variable


@click.command("config")
@json_option
@click.pass_obj
def command(invocation: Invocation, *, as_json: bool) -> None:
    """Show every setting and where it came from.

    A flag wins over CORRAL_X, that over OLLAMA_X, that over the default.
    """
    from corral.settings import explain, surprises

    of_plugins = invocation.load_plugins().variables()
    rows = [_Row(s.variable, shown(s.field, s.value), s.origin, s.summary) for s in explain(invocation.flags, os.environ)]
    rows += [_of_plugin(variable) for variable in of_plugins]
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    print_table(("SETTING", "VALUE", "ORIGIN"), [(row.setting, row.value, row.origin) for row in rows])
    for surprise in surprises(os.environ, [variable.name for variable in of_plugins]):
        warn(surprise)


class _Row(NamedTuple):
    setting: str
    value: str
    origin: str
    summary: str


def _of_plugin(variable: Variable) -> _Row:
    value = os.environ.get(variable.name, "")
    return _Row(variable.name, value or "-", variable.name if value else "default", variable.summary)


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
