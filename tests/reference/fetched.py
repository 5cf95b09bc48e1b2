"""Fetch through pip what tests need, into the user's cache: one process fetches, the others wait for it."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def fetched(name: str, fill: Callable[[Path], object]) -> Path:
    """Return the folder of that name in the cache; `fill` is called with it when it is not complete."""
    folder = platformdirs.user_cache_path("corral") / "tests" / name
    folder.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            fill(folder)
            (folder / "complete").touch()
    return folder


def download(requirement: str, folder: Path, *options: str) -> Path:
    """Return the file that pip downloads for a requirement, without what it depends on."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", str(folder)]
    subprocess.run([*command, *options, requirement], check=True)
    return next(path for path in folder.iterdir() if path.name.endswith((".whl", ".tar.gz")))
