"""`corral plugins`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from corral.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from corral.cli.invocation import Invocation
    from corral.plugins import PluginReport


@click.command("plugins")
@json_option
@click.option("--hooks", is_flag=True, help="Show which hooks each plugin has, and how long it took to load.")
@click.pass_obj
def command(invocation: Invocation, *, as_json: bool, hooks: bool) -> None:
    """List plugins and what they offer, broken ones included."""
    host = invocation.load_plugins()
    if as_json:
        print_json(host.reports())
    else:
        _print(host.reports(), hooks=hooks)
    if invocation.settings.strict_plugins:
        host.require_sound()


def _print(reports: tuple[PluginReport, ...], *, hooks: bool) -> None:
    if hooks:
        print_table(("NAME", "LOADED IN", "HOOKS"), [(r.name, f"{r.load_s * 1000:.1f} ms", ", ".join(r.hooks) or "-") for r in reports])
    else:
        print_table(("NAME", "FROM", "STATUS", "OFFERS"), [row for report in reports for row in _rows(report)])
    for report in reports:
        if report.status.value == "broken":
            click.echo(f"\n{report.name}: {report.reason}", err=True)


def _rows(report: PluginReport) -> list[tuple[str, str, str, str]]:
    """Return a row for what is offered under the same names; only the first one names the plugin."""
    kinds: dict[tuple[str, ...], list[str]] = {}
    for kind, names in report.offers.items():
        kinds.setdefault(names, []).append(kind)
    offers = [f"{' and '.join(of_names)} {', '.join(names)}" for names, of_names in kinds.items()]
    if not offers:
        offers = [report.reason if report.status.value == "disabled" else "-"]
    first = (report.name, f"{report.distribution} {report.version}", report.status.value, offers[0])
    return [first, *(("", "", "", offer) for offer in offers[1:])]
