"""Find the files that a Modelfile names, and bring them to where the model is made."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corral.errors import InvalidInput
from corral.modelfile import Keyword

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corral.cli.backend import Models
    from corral.modelfile import Modelfile


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """What a Modelfile is built on: a model's name, or files by the names they get."""

    base: str = ""
    files: dict[str, Path] = field(default_factory=dict)
    adapters: dict[str, Path] = field(default_factory=dict)
    drafts: dict[str, Path] = field(default_factory=dict)


def find_files(modelfile: Modelfile, folder: Path) -> ModelFiles:
    """Look up FROM, ADAPTER and DRAFT, relative to a folder; a FROM that is no path there is the name of a model."""
    sources = modelfile.all(Keyword.FROM)
    names = [source for source in sources if not _is_file(source, folder)]
    if len(names) > 1:
        raise InvalidInput(f"FROM names more than one model: {', '.join(names)}")
    return ModelFiles(
        base=names[0] if names else "",
        files=_files([_path(source, folder) for source in sources if source not in names]),
        adapters=_files([_existing(source, folder) for source in modelfile.all(Keyword.ADAPTER)]),
        drafts=_files([_existing(source, folder) for source in modelfile.all(Keyword.DRAFT)]),
    )


async def bring(files: dict[str, Path], models: Models) -> dict[str, str]:
    """Make each file a blob and return the digests by name."""
    digests: dict[str, str] = {}
    for name, path in files.items():
        click.echo(f"reading {name}", err=True)
        digests[name] = digest = await asyncio.to_thread(_digest, path)
        if not await models.has_blob(digest):
            click.echo(f"copying {name} as {digest[:19]}", err=True)
            await models.add_blob(digest, path)
    return digests


def _path(text: str, folder: Path) -> Path:
    return folder / Path(text).expanduser()


def _is_file(source: str, folder: Path) -> bool:
    """Return whether a FROM is a path rather than the name of a model; raise InvalidInput when it is one that leads nowhere."""
    looks_like_one = source.startswith((".", "/", "~")) or source.lower().endswith(".gguf")
    return _existing(source, folder).exists() if looks_like_one else _path(source, folder).exists()


def _existing(text: str, folder: Path) -> Path:
    path = _path(text, folder)
    if not path.exists():
        raise InvalidInput(f"there is no file {path}")
    return path


def _files(paths: Iterable[Path]) -> dict[str, Path]:
    found = [file for path in paths for file in (_in_folder(path) if path.is_dir() else [_regular(path)])]
    names = {path.name: path for path in found}
    if len(names) < len(found):
        raise InvalidInput("two of the files have the same name")
    return names


def _regular(path: Path) -> Path:
    """Return a path to a file; raise InvalidInput for a device or a pipe, whose end may never come."""
    if not path.is_file():
        raise InvalidInput(f"{path} is not a regular file")
    return path


def _in_folder(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.gguf"))
    if not found and any(folder.glob("*.safetensors")):
        raise InvalidInput(f"{folder} holds safetensors; convert them to GGUF first (llama.cpp's convert_hf_to_gguf.py does)")
    if not found:
        raise InvalidInput(f"{folder} holds no GGUF file")
    for path in found:
        # A link that leads out of the folder would copy any file of this machine into the model.
        if not path.resolve().is_relative_to(folder.resolve()):
            raise InvalidInput(f"{path} is a link that leads out of {folder}")
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
