"""What the blobs of an installed model hold, read once and remembered for as long as they stay the same."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from corral import gguf
from corral.conversation import JsonObject, Message
from corral.errors import InvalidGGUF, StoreError, Unsupported
from corral.library import config as configs
from corral.store import manifest as layers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from corral.gguf import Header
    from corral.names import Digest
    from corral.spec import ModelFacts
    from corral.store import Installed, Layer, Store

_MAX_TEXT_BYTES = 32 * 1024 * 1024
# A header of a large model takes about a megabyte, facts a few kilobytes.
_HEADERS = 8
_FACTS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """An installed model with its small blobs read; weights are paths."""

    installed: Installed
    config: JsonObject
    template: str = ""
    system: str = ""
    parameters: JsonObject
    messages: tuple[Message, ...] = ()
    licenses: tuple[str, ...] = ()


class Headers:
    """Headers of GGUF blobs. A blob never changes, so the last ones used, and the facts of all, are kept."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._headers: OrderedDict[Digest, Header] = OrderedDict()
        self._facts: OrderedDict[Digest, ModelFacts] = OrderedDict()

    def read(self, digest: Digest) -> Header:
        """Return the checked header of a blob; raise InvalidGGUF or StoreError."""
        known = self._headers.get(digest)
        return known or _remember(self._headers, digest, gguf.read_header(self._store.blobs.path(digest)), _HEADERS)

    def facts(self, digest: Digest) -> ModelFacts:
        """Return the facts of a blob."""
        known = self._facts.get(digest)
        return known or _remember(self._facts, digest, gguf.facts(self.read(digest)), _FACTS)


Known = TypeVar("Known")


def _remember(known: OrderedDict[Digest, Known], digest: Digest, value: Known, limit: int) -> Known:
    known[digest] = value
    while len(known) > limit:
        known.popitem(last=False)
    return value


def read_contents(store: Store, installed: Installed) -> Contents:
    """Return what an installed model's small blobs say; raise StoreError for one that is missing or damaged."""
    manifest, where = installed.manifest, f"'{installed.name.short}'"
    return Contents(
        installed=installed,
        config=read_config(store, installed),
        template=_text(store, manifest.one(layers.TEMPLATE)),
        system=_text(store, manifest.one(layers.SYSTEM)),
        parameters=_parameters(store, manifest.one(layers.PARAMETERS), where),
        messages=tuple(_messages(store, manifest.one(layers.MESSAGES), where)),
        licenses=tuple(_text(store, layer) for layer in manifest.all(layers.LICENSE)),
    )


def read_config(store: Store, installed: Installed) -> JsonObject:
    """Return the config of an installed model; raise StoreError."""
    return configs.decode(_bytes(store, installed.manifest.config), f"'{installed.name.short}'")


def weights(contents: Contents) -> Layer:
    """Return the layer of the model's weights; raise Unsupported for models that have none here."""
    name = contents.installed.name.short
    layer = contents.installed.manifest.one(layers.MODEL)
    if layer is not None:
        return layer
    if configs.text(contents.config, "remote_host"):
        raise Unsupported(f"model '{name}' is a stub for another server; corral runs models that are on disk")
    raise Unsupported(f"model '{name}' has no GGUF weights (format '{configs.text(contents.config, 'model_format')}')")


def blob_path(store: Store, layer: Layer, name: str) -> Path:
    """Return where a blob of weights is; raise StoreError when it is missing or cut."""
    size = store.blobs.size(layer.digest)
    if size != layer.size:
        there = "is missing" if size is None else f"has {size} bytes instead of {layer.size}"
        raise StoreError(f"blob {layer.digest} of model '{name}' {there}; pull or create the model again")
    return store.blobs.path(layer.digest)


def role_of(header: Header) -> str:
    """Return the media type of a GGUF file in a model: weights, adapter or projector."""
    kind = header.text("general.type", "model")
    if kind == "adapter":
        return layers.ADAPTER
    if kind in ("mmproj", "projector") or header.architecture == "clip":
        return layers.PROJECTOR
    if header.integer("split.count") > 1:
        raise Unsupported(f"'{header.path.name}' is one part of a split GGUF; merge the parts first (llama-gguf-split --merge)")
    if not header.architecture:
        raise InvalidGGUF("a model file must name its architecture", field="general.architecture", offset=0)
    return layers.MODEL


def _bytes(store: Store, layer: Layer) -> bytes:
    return store.blobs.read(layer.digest, _MAX_TEXT_BYTES)


def _text(store: Store, layer: Layer | None) -> str:
    return _bytes(store, layer).decode("utf-8", "replace") if layer else ""


def _parameters(store: Store, layer: Layer | None, where: str) -> JsonObject:
    content = _json(store, layer, where) if layer else {}
    if not isinstance(content, dict):
        raise StoreError(f"the parameters of {where} are damaged: not an object")
    return cast("JsonObject", content)


def _messages(store: Store, layer: Layer | None, where: str) -> Iterator[Message]:
    content = _json(store, layer, where) if layer else []
    if not isinstance(content, list):
        raise StoreError(f"the messages of {where} are damaged: not a list")
    for item in content:
        if not isinstance(item, dict):
            raise StoreError(f"the messages of {where} are damaged: {item!r:.40} is not an object")
        yield Message(role=configs.text(item, "role"), content=configs.text(item, "content"))


def _json(store: Store, layer: Layer, where: str) -> object:
    try:
        return json.loads(_bytes(store, layer))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"a blob of {where} is damaged: {error}") from error
