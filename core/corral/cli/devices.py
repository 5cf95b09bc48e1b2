"""`corral devices`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from corral.cli import wording
from corral.cli.output import json_option, memory_bar, print_json, print_section, print_table, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.cli.invocation import Invocation
    from corral.cli.survey import Survey
    from corral.devices import Device
    from corral.plugins import DeviceReport

_DESCRIPTION_WIDTH = 28
_BAR_WIDTH = 24


@click.command("devices")
@click.option("--explain", is_flag=True, help="Tell who reported each device, how to choose it, and why others are not there.")
@json_option
@click.pass_obj
def command(invocation: Invocation, *, explain: bool, as_json: bool) -> None:
    """List the devices that models can run on, and those that can't be used."""
    from corral.cli.survey import survey

    seen = asyncio.run(survey(invocation))
    if as_json:
        print_json(seen if explain else seen.devices)
        return
    print_table(("NAME", "KIND", "DESCRIPTION", "FREE", "TOTAL", "RUNNERS"), [_row(device) for device in seen.devices])
    if explain:
        _explain(seen)


def _explain(seen: Survey) -> None:
    click.echo()
    for device in seen.devices:
        print_section(device.name, _details(device))
    for report in seen.reports:
        print_section(f"plugin {report.plugin}", _findings(report))
    print_section("Notices", [(notice.code, notice.message) for notice in seen.notices])


def _row(device: Device) -> tuple[str, ...]:
    return (
        device.name,
        device.kind.value,
        shorten(device.description or device.backend, _DESCRIPTION_WIDTH),
        wording.memory(device.free_bytes),
        wording.memory(device.total_bytes),
        ", ".join(sorted(device.runners)) or "unusable",
    )


def _details(device: Device) -> list[tuple[str, str]]:
    return [(name, value) for name, value in _facts(device) if value]


def _facts(device: Device) -> Iterator[tuple[str, str]]:
    """Yield all that is known about a device, empty values included."""
    if device.unusable:
        yield "unusable", device.unusable.reason
        yield "remedy", device.unusable.remedy
    yield "memory", memory_bar(device.free_bytes, device.total_bytes, _BAR_WIDTH)
    yield "id", f"{device.backend}:{device.id}"
    yield "pci", device.pci_id or ""
    yield "uuid", device.uuid or ""
    yield "compute", device.compute
    yield "driver", device.driver
    yield "reported by", ", ".join(device.reported_by)
    yield "chosen by", ", ".join(f"{name}={value}" for name, value in device.visibility.items())
    yield "needs", ", ".join(f"{name}={value}" for name, value in device.environment.items())
    yield from device.facts.items()


def _findings(report: DeviceReport) -> list[tuple[str, str]]:
    found = [("found", f"{device.name} ({device.description or device.backend})") for device in report.devices]
    absent = [("nothing", f"{absent.backend}: {absent.reason}") for absent in report.absent]
    remedies = [("remedy", absent.remedy) for absent in report.absent if absent.remedy]
    errors = [("failed", report.error)] if report.error else []
    return [*found, *absent, *remedies, *errors] or [("nothing", "no devices, and no reason given")]
