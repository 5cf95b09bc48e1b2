"""What a manifest says: which blobs make up a model, in Ollama's (Docker's) JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from corral.errors import InvalidName, StoreError
from corral.names import Digest

if TYPE_CHECKING:
    from corral.conversation import Json, JsonObject

MANIFEST_TYPE: Final = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE: Final = "application/vnd.docker.container.image.v1+json"
_LAYER: Final = "application/vnd.ollama.image."

MODEL: Final = f"{_LAYER}model"
PROJECTOR: Final = f"{_LAYER}projector"
ADAPTER: Final = f"{_LAYER}adapter"
DRAFT: Final = f"{_LAYER}draft"
TEMPLATE: Final = f"{_LAYER}template"
SYSTEM: Final = f"{_LAYER}system"
PARAMETERS: Final = f"{_LAYER}params"
MESSAGES: Final = f"{_LAYER}messages"
LICENSE: Final = f"{_LAYER}license"

#: Layers of which a model has one at most.
SINGLE: Final = (MODEL, DRAFT, TEMPLATE, SYSTEM, PARAMETERS, MESSAGES)
# Models that keep each tensor in a blob of its own have a few thousand layers.
_MAX_LAYERS: Final = 65_536
# Older stores call a template layer this.
_RENAMED: Final = {f"{_LAYER}prompt": TEMPLATE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A blob's role in a model. `base` is the model it was taken from; `name` a file name in models of many files."""

    media_type: str
    digest: Digest
    size: int
    base: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The blobs of a model."""

    config: Layer
    layers: tuple[Layer, ...]

    @property
    def digests(self) -> frozenset[Digest]:
        """Return the digests of all blobs of the model."""
        return frozenset(layer.digest for layer in (self.config, *self.layers))

    @property
    def size(self) -> int:
        """Return the bytes of all blobs together, as `list` shows them."""
        return self.config.size + sum(layer.size for layer in self.layers)

    def all(self, media_type: str) -> tuple[Layer, ...]:
        """Return the layers of a kind, in order."""
        return tuple(layer for layer in self.layers if layer.media_type == media_type)

    def one(self, media_type: str) -> Layer | None:
        """Return the layer of a kind of which there is one at most."""
        return next(iter(self.all(media_type)), None)

    def encode(self) -> bytes:
        """Return the manifest as its file holds it; equal manifests give equal bytes."""
        content = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _layer_json(self.config),
            "layers": [_layer_json(layer) for layer in self.layers],
        }
        return json.dumps(content, separators=(",", ":")).encode() + b"\n"


def decode(data: bytes, where: str) -> Manifest:
    """Return the manifest that bytes hold; raise StoreError, naming `where`, for anything but a sound one."""
    try:
        content = json.loads(data)
        manifest = Manifest(config=_layer(content["config"]), layers=tuple(map(_layer, content["layers"])))
    except (ValueError, KeyError, TypeError, RecursionError, InvalidName) as error:
        raise StoreError(f"the manifest of {where} is damaged: {error or type(error).__name__}") from error
    if len(manifest.layers) > _MAX_LAYERS:
        raise StoreError(f"the manifest of {where} has {len(manifest.layers)} layers, the limit is {_MAX_LAYERS}")
    for media_type in SINGLE:
        if len(manifest.all(media_type)) > 1:
            raise StoreError(f"the manifest of {where} has more than one layer of type {media_type}")
    return manifest


def _layer(content: Json) -> Layer:
    if not isinstance(content, dict):
        raise TypeError(f"{content!r:.40} instead of a layer")
    size = content.get("size", 0)
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise ValueError(f"a size of {size!r}")
    media_type = _text(content["mediaType"])
    return Layer(
        media_type=_RENAMED.get(media_type, media_type),
        digest=Digest.parse(_text(content["digest"])),
        size=size,
        base=_text(content.get("from", "")),
        name=_text(content.get("name", "")),
    )


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} instead of a text")
    return value


def _layer_json(layer: Layer) -> JsonObject:
    content: JsonObject = {"mediaType": layer.media_type, "digest": str(layer.digest), "size": layer.size}
    if layer.base:
        content["from"] = layer.base
    if layer.name:
        content["name"] = layer.name
    return content
