"""Find the files that a prompt names, and take them out of its text."""

from __future__ import annotations

import re
from pathlib import Path

import click

from corral.errors import InvalidInput

_PATH = re.compile(r"(?:~|\.{1,2})?/(?:\\.|[^\s'\"])+?\.(?:jpe?g|png|webp|wav)\b", re.IGNORECASE)
_MAX_BYTES = 100 * 1024 * 1024


def attach(prompt: str) -> tuple[str, tuple[bytes, ...]]:
    """Return the prompt without the paths of images and sounds that exist, and what those files hold."""
    found: list[bytes] = []
    for match in _PATH.findall(prompt):
        path = Path(match.replace("\\ ", " ")).expanduser()
        if path.is_file():
            found.append(_read(path))
            prompt = prompt.replace(match, "")
    return prompt.strip() if found else prompt, tuple(found)


def _read(path: Path) -> bytes:
    if path.stat().st_size > _MAX_BYTES:
        raise InvalidInput(f"{path} is larger than {_MAX_BYTES // 1024**2} MiB")
    click.echo(f"Added {'audio' if path.suffix.lower() == '.wav' else 'image'} '{path}'", err=True)
    return path.read_bytes()
