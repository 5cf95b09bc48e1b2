"""Fetch a model of the Hub with the Hub's own library: its mirrors, tokens, retries and resumed downloads."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from tqdm import tqdm

from corral.errors import SourceError
from corral.fetching import Part, Resolved
from corral_hf.choosing import projector_file, weights_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from huggingface_hub.hf_api import RepoSibling

_REFERENCE = re.compile(r"hf:(?P<repository>[\w.-]+/[\w.-]+)(?::(?P<wanted>[\w./-]+))?(?:@(?P<revision>[\w./-]+))?", re.ASCII)
_MODEL = "application/vnd.ollama.image.model"
_PROJECTOR = "application/vnd.ollama.image.projector"
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A repository, what is wanted of it (a file or a quantisation; may be empty), and a revision (None for the newest)."""

    repository: str
    wanted: str
    revision: str | None


def read_reference(reference: str) -> Reference:
    """Read `hf:org/repo[:FILE or QUANTISATION][@REVISION]`; raise SourceError for anything else."""
    match = _REFERENCE.fullmatch(reference)
    if match is None or ".." in reference:
        raise SourceError(f"'{reference}' is no reference to the Hub; write hf:ORG/REPO or hf:ORG/REPO:QUANTISATION")
    return Reference(repository=match["repository"], wanted=match["wanted"] or "", revision=match["revision"])


class HubSource:
    """One repository of the Hub, for one pull."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._folder: Path | None = None

    def resolve(self) -> Resolved:
        """Ask the Hub for the repository's files and choose the model's."""
        repository = self._reference.repository
        try:
            info = HfApi().model_info(repository, revision=self._reference.revision, timeout=_TIMEOUT_S, files_metadata=True)
        except (HfHubHTTPError, HFValidationError, OSError) as error:
            raise SourceError(f"can't find hf:{repository}: {_first_line(error)}") from error
        files = {sibling.rfilename: sibling for sibling in info.siblings or ()}
        weights = files[weights_file(repository, list(files), self._reference.wanted)]
        projector = files.get(projector_file(list(files)))
        parts = (_part(_MODEL, weights), *((_part(_PROJECTOR, projector),) if projector else ()))
        return Resolved(reference=f"hf:{repository}", parts=parts, config={}, name=f"hf.co/{repository}:{_tag(self._reference.wanted)}")

    def fetch(self, part: Part, target: Path, report: Callable[[int, int], None]) -> None:
        """Download a file beside its target, and move it there when it is whole."""
        self._folder = target.with_name(target.name + ".hub")
        try:
            path = hf_hub_download(
                self._reference.repository,
                part.name,
                revision=self._reference.revision,
                local_dir=self._folder,
                tqdm_class=_reporting(report, part.size),
            )
        except (HfHubHTTPError, OSError) as error:
            raise SourceError(f"can't fetch {part.name} of hf:{self._reference.repository}: {_first_line(error)}") from error
        Path(path).replace(target)

    def close(self) -> Iterable[str]:
        """Remove what the Hub's library left beside the target."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        return ()


def _part(media_type: str, file: RepoSibling) -> Part:
    digest = f"sha256:{file.lfs.sha256}" if file.lfs else ""
    return Part(media_type=media_type, name=file.rfilename, size=file.size or 0, digest=digest)


def _tag(wanted: str) -> str:
    return wanted.rsplit("/", 1)[-1] or "latest"


def _reporting(report: Callable[[int, int], None], size: int) -> type[tqdm[object]]:
    """Return a progress bar that shows nothing and reports instead, the only way the Hub's library tells of progress."""

    class Reporting(tqdm):  # type: ignore[type-arg]  # generic in its stubs only
        def __init__(self, *, initial: int = 0, **_look: object) -> None:
            super().__init__(disable=True, initial=initial)

        def update(self, n: float | None = 1) -> bool | None:
            self.n += n or 0
            report(int(self.n), size)
            return None

    return Reporting


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
