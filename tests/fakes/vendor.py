"""Run a vendor plugin in a child of its own, with a made-up driver library compiled from C."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from corral.devices import Absent, Device, DeviceKind, Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FAKES = Path(__file__).parent

#: Answers each scenario (a line of environment variables in JSON) with a line of what the plugin found.
CHILD = """
import json, os, sys
from importlib import import_module
import msgspec
plugin = import_module(sys.argv[1])
for line in sys.stdin:
    scenario = json.loads(line)
    os.environ.update(scenario)
    found = plugin.discover_devices()
    for name in scenario:
        del os.environ[name]
    print(json.dumps([[type(thing).__name__, msgspec.to_builtins(thing)] for thing in found]), flush=True)
"""


def require_compiler() -> None:
    """Skip the test on a machine that can't compile a fake."""
    if shutil.which("gcc") is None:
        pytest.skip("made-up drivers need gcc")


def compile_library(folder: Path, source: str, name: str) -> Path:
    """Compile a fake and return the folder it is in; the loader knows it by `name`."""
    require_compiler()
    command = ["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", f"-Wl,-soname,{name}", "-o", str(folder / name), str(FAKES / source)]
    subprocess.run(command, check=True)
    return folder


def discover(plugin: str, scenarios: Sequence[Mapping[str, str]], **environment: str) -> list[list[Device | Absent]]:
    """Return what the plugin finds in each scenario, one after the other in one process."""
    text = "".join(json.dumps(dict(scenario)) + "\n" for scenario in scenarios)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD, plugin],
        input=text, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [[_read(*thing) for thing in json.loads(line)] for line in done.stdout.splitlines()]


def _read(kind: str, value: dict[str, Any]) -> Device | Absent:
    if kind == "Absent":
        return Absent(**value)
    unusable = value["unusable"] and Unusable(**value["unusable"])
    sequences = {"runners": frozenset(value["runners"]), "reported_by": tuple(value["reported_by"])}
    return Device(**{**value, **sequences, "kind": DeviceKind(value["kind"]), "unusable": unusable})
