"""Which files of a repository make up the model that a reference means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from corral.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What people mean when they name no quantisation: the usual trade of size for quality, and the next best.
_PREFERRED = ("Q4_K_M", "Q4_0", "Q4_1", "Q5_K_M", "Q8_0")
_SPLIT = re.compile(r"-\d{5}-of-\d{5}\.gguf$")


def weights_file(repository: str, files: Sequence[str], wanted: str) -> str:
    """Return the GGUF file that `wanted` names: a file, a quantisation, or nothing for the usual one.

    Raises SourceError with the files to choose from.
    """
    candidates = [name for name in files if name.lower().endswith(".gguf") and not is_projector(name)]
    if not candidates:
        raise SourceError(f"hf:{repository} has no .gguf file; look for a repository whose name ends in -GGUF")
    return _whole(repository, _choose(repository, candidates, wanted))


def projector_file(files: Sequence[str]) -> str:
    """Return the file of the vision projector; empty when there is none."""
    projectors = sorted((name for name in files if is_projector(name)), key=lambda name: ("f16" not in name.lower(), name))
    return projectors[0] if projectors else ""


def is_projector(name: str) -> bool:
    """Return whether a file holds a vision projector, by the name that llama.cpp gives it."""
    return name.lower().endswith(".gguf") and "mmproj" in name.lower()


def _choose(repository: str, candidates: Sequence[str], wanted: str) -> str:
    if wanted in candidates:
        return wanted
    if wanted:
        return _only(repository, [name for name in candidates if has_quantisation(name, wanted)], candidates, wanted)
    for quantisation in _PREFERRED:
        named = [name for name in candidates if has_quantisation(name, quantisation)]
        if len(named) == 1:
            return named[0]
    return _only(repository, candidates, candidates, "")


def has_quantisation(name: str, quantisation: str) -> bool:
    """Return whether a file name says that quantisation as a word of its own: Q4_K does not mean Q4_K_M."""
    return re.search(rf"(?<![a-z0-9_]){re.escape(quantisation.lower())}(?![a-z0-9_])", name.lower()) is not None


def _only(repository: str, named: Sequence[str], candidates: Sequence[str], wanted: str) -> str:
    if len(named) == 1:
        return named[0]
    choices = ", ".join(sorted(named or candidates))
    problem = f"several files match '{wanted}'" if named else f"no file matches '{wanted}'"
    raise SourceError(f"hf:{repository}: {problem}; name one: hf:{repository}:FILE (files: {choices})")


def _whole(repository: str, name: str) -> str:
    if _SPLIT.search(name):
        raise SourceError(f"hf:{repository}: {name} is one part of a split model; merge it with llama-gguf-split, then pull file:PATH")
    return name
