"""What a model's name or a blob's digest means, and how it becomes a path that can't leave its folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from corral.errors import InvalidName

DEFAULT_HOST = "registry.ollama.ai"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"

# Every part starts with a letter, a digit or "_", so that no part is ".." or hidden.
_PARTS = {
    "host": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}"),
    "namespace": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}"),
    "model": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"),
    "tag": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"),
}
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_DIGEST = re.compile(r"sha256[:-]([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True, order=True)
class ModelName:
    """The full name of a model. Its parts are checked, so a name is always safe as a path."""

    host: str
    namespace: str
    model: str
    tag: str

    def __post_init__(self) -> None:
        for part, pattern in _PARTS.items():
            if not pattern.fullmatch(getattr(self, part)):
                raise InvalidName(f"invalid model name '{self.host}/{self.namespace}/{self.model}:{self.tag}': bad {part}")

    @classmethod
    def parse(cls, text: str) -> ModelName:
        """Return the name that a text means, filled up with Ollama's defaults; raise InvalidName."""
        path, tag = _split_tag(_SCHEME.sub("", text.strip(), count=1))
        *outer, model = path.rsplit("/", 2)
        namespace = outer[-1] if outer else DEFAULT_NAMESPACE
        host = outer[0] if len(outer) > 1 else DEFAULT_HOST
        try:
            return cls(host, namespace, model, tag)
        except InvalidName:
            raise InvalidName(f"invalid model name '{text}'") from None

    @property
    def short(self) -> str:
        """Return the name as people read it: parts that have their default value are left out, the tag is not."""
        if self.host != DEFAULT_HOST:
            return str(self)
        if self.namespace != DEFAULT_NAMESPACE:
            return f"{self.namespace}/{self.model}:{self.tag}"
        return f"{self.model}:{self.tag}"

    @property
    def folded(self) -> ModelName:
        """Return the name in lower case; two names that differ only in case are the same model."""
        return ModelName(self.host.lower(), self.namespace.lower(), self.model.lower(), self.tag.lower())

    @property
    def relative_path(self) -> PurePosixPath:
        """Return where the manifest lies below the folder of manifests."""
        return PurePosixPath(self.host, self.namespace, self.model, self.tag)

    def __str__(self) -> str:
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"


def _split_tag(text: str) -> tuple[str, str]:
    head, colon, tag = text.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (text, DEFAULT_TAG)


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256 digest, as 64 lower-case hex digits. Only a Digest names a blob's file."""

    hex: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{64}", self.hex):
            raise InvalidName("invalid digest format")

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Return the digest that `sha256:<hex>` or `sha256-<hex>` means; raise InvalidName for anything else."""
        match = _DIGEST.fullmatch(text)
        if match is None:
            raise InvalidName("invalid digest format")
        return cls(match[1].lower())

    @property
    def file_name(self) -> str:
        """Return the name of the blob's file."""
        return f"sha256-{self.hex}"

    @property
    def short(self) -> str:
        """Return the first 12 digits, as people compare them."""
        return self.hex[:12]

    def __str__(self) -> str:
        return f"sha256:{self.hex}"
