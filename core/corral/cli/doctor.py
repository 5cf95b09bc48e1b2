"""`corral doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from corral.cli.checks import Health, examine
from corral.cli.failures import FAILED
from corral.cli.output import json_option, print_json, print_wrapped

if TYPE_CHECKING:
    from corral.cli.checks import Finding
    from corral.cli.invocation import Invocation

_COLOURS = {Health.OK: "green", Health.WARN: "yellow", Health.FAIL: "red"}


@click.command("doctor")
@json_option
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """Check settings, plugins, devices, models and server, and say what to do.

    The exit code is 1 when something fails.
    """
    invocation: Invocation = ctx.obj
    findings = []
    for finding in examine(invocation):
        findings.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        print_json(findings)
    if any(finding.health is Health.FAIL for finding in findings):
        ctx.exit(FAILED)


def _print(finding: Finding) -> None:
    mark = click.style(f"{finding.health.value:<4}", fg=_COLOURS[finding.health])
    print_wrapped(f"{mark}  {finding.area:<8}  ", finding.message)
    if finding.remedy:
        print_wrapped(f"{'':16}-> ", finding.remedy)
