"""What `corral doctor` looks at. Each check returns findings; none of them changes anything."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import version
from typing import TYPE_CHECKING

from corral.errors import CorralError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from corral.cli.invocation import Invocation
    from corral.devices import Device
    from corral.plugins import DeviceReport

#: Less than this and a pull of a small model fails.
_LOW_SPACE_BYTES = 2 * 1024**3


class Health(Enum):
    """How serious a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at, and what would help when it is not well."""

    area: str
    health: Health
    message: str
    remedy: str = ""


def examine(invocation: Invocation) -> Iterator[Finding]:
    """Run every check; one that fails is a finding itself."""
    checks: dict[str, Callable[[Invocation], Iterator[Finding]]] = {
        "settings": check_settings,
        "plugins": check_plugins,
        "devices": check_devices,
        "models": check_models,
        "server": check_server,
    }
    for area, check in checks.items():
        try:
            yield from check(invocation)
        except CorralError as error:
            yield Finding(area=area, health=Health.FAIL, message=str(error))


def check_settings(invocation: Invocation) -> Iterator[Finding]:
    """Look for variables that do not do what they seem to."""
    from corral.discovery.visibility import notices
    from corral.settings import surprises

    of_plugins = [variable.name for variable in invocation.load_plugins().variables()]
    found = [*surprises(os.environ, of_plugins), *(notice.message for notice in notices(os.environ))]
    for message in found:
        yield Finding(area="settings", health=Health.WARN, message=message, remedy="unset it if you did not mean it")
    if not found:
        yield Finding(area="settings", health=Health.OK, message=f"no surprises (models in {invocation.settings.models})")


def check_plugins(invocation: Invocation) -> Iterator[Finding]:
    """Look for broken plugins, and for kinds of names that nobody offers."""
    from corral.plugins import Status

    host = invocation.load_plugins()
    broken = [report for report in host.reports() if report.status is Status.BROKEN]
    for report in broken:
        message = f"plugin '{report.name}' ({report.distribution} {report.version}) {report.reason}"
        yield Finding(area="plugins", health=Health.FAIL, message=message, remedy=f"-p no:{report.name} leaves it out")
    offered = {"renderer": host.renderers(), "parser": host.parsers(), "runner": host.runners(), "API": host.apis()}
    for kind in (kind for kind, names in offered.items() if not names):
        yield Finding(area="plugins", health=Health.FAIL, message=f"no plugin offers a {kind}", remedy="see: corral plugins")
    loaded = sum(report.status is Status.OK for report in host.reports())
    yield Finding(area="plugins", health=Health.OK, message=f"{loaded} loaded; llama-cpp-python {version('llama-cpp-python')}")


def check_devices(invocation: Invocation) -> Iterator[Finding]:
    """Look for devices that can't be used, and for plugins that could not look."""
    from corral.cli.survey import survey

    seen = asyncio.run(survey(invocation))
    for report in seen.reports:
        yield from _device_report(report)
    for device in seen.devices:
        yield _device(device)
    if not any(device.runners and not device.unusable for device in seen.devices):
        yield Finding(area="devices", health=Health.FAIL, message="no runner can use any device", remedy="see: corral devices --explain")


def _device_report(report: DeviceReport) -> Iterator[Finding]:
    if report.error:
        yield Finding(area="devices", health=Health.FAIL, message=f"{report.plugin}: {report.error}")
    for absent in report.absent:
        yield Finding(area="devices", health=Health.OK, message=f"no {absent.backend}: {absent.reason}", remedy=absent.remedy)


def _device(device: Device) -> Finding:
    if device.unusable:
        message = f"{device.name} can't be used: {device.unusable.reason}"
        return Finding(area="devices", health=Health.WARN, message=message, remedy=device.unusable.remedy)
    runners = ", ".join(sorted(device.runners)) or "no runner"
    return Finding(area="devices", health=Health.OK, message=f"{device.name}: {device.description or device.backend} ({runners})")


def check_models(invocation: Invocation) -> Iterator[Finding]:
    """Look at the store: can it be written, is there room, does every model hold together."""
    from corral.cli.backend import open_library

    yield from _folder(invocation.settings.models)
    library = open_library(invocation)
    names = library.names()
    for name in names:
        try:
            library.resolve(name)
        except UnknownName as error:
            remedy = f"install a plugin that offers {error.kind} '{error.name}', or corral rm {name}"
            message = f"{name}: no plugin offers {error.kind} '{error.name}'"
            yield Finding(area="models", health=Health.FAIL, message=message, remedy=remedy)
        except CorralError as error:
            yield Finding(area="models", health=Health.FAIL, message=f"{name}: {error}", remedy=f"corral pull {name}, or corral rm {name}")
    yield Finding(area="models", health=Health.OK, message=f"{len(names)} installed")


def _folder(folder: Path) -> Iterator[Finding]:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(existing, os.W_OK):
        yield Finding(
            area="models", health=Health.FAIL, message=f"{existing} can't be written", remedy="set CORRAL_MODELS to another folder"
        )
    free = shutil.disk_usage(existing).free
    if free < _LOW_SPACE_BYTES:
        message = f"{free // 1024**2} MiB left on the disk of {existing}"
        yield Finding(area="models", health=Health.WARN, message=message, remedy="corral rm a model, or set CORRAL_MODELS")


def check_server(invocation: Invocation) -> Iterator[Finding]:
    """Look at who answers where the server is to be."""
    from corral.cli.version import server_version

    url, ours = invocation.settings.url, version("corral")
    theirs = asyncio.run(server_version(invocation))
    if theirs is None:
        yield Finding(area="server", health=Health.OK, message=f"none at {url}; the address is free", remedy="start one with: corral serve")
    elif not theirs:
        message = f"something that is not corral answers at {url}"
        yield Finding(area="server", health=Health.WARN, message=message, remedy="stop it, or set CORRAL_HOST to another port")
    elif theirs != ours:
        message = f"the server at {url} is corral {theirs}, this is {ours}"
        yield Finding(area="server", health=Health.WARN, message=message, remedy="restart the server")
    else:
        yield Finding(area="server", health=Health.OK, message=f"corral {theirs} answers at {url}")
