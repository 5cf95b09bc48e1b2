"""What a new model consists of, worked out before a byte is written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from corral import gguf, options
from corral.errors import InvalidInput, Unsupported
from corral.library import config as configs
from corral.library.adapters import check_adapter
from corral.library.contents import read_contents, role_of
from corral.library.plugins import KINDS
from corral.library.resolution import check_names
from corral.library.specs import find
from corral.library.trial import try_template
from corral.names import Digest
from corral.store import Layer, Manifest
from corral.store import manifest as layers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from corral.api import CreateRequest
    from corral.conversation import JsonObject, Message
    from corral.library.contents import Contents, Headers
    from corral.library.plugins import Plugins
    from corral.store import Store

#: In this order layers stand in a manifest, so that equal models get equal digests.
_ORDER = (
    layers.MODEL, layers.PROJECTOR, layers.ADAPTER, layers.DRAFT,
    layers.TEMPLATE, layers.SYSTEM, layers.LICENSE, layers.PARAMETERS, layers.MESSAGES,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A manifest, the small blobs it needs, and its own bytes (those of the base, when nothing changes)."""

    manifest: Manifest
    texts: Mapping[Digest, bytes]
    data: bytes

    @property
    def digest(self) -> str:
        """Return the id that the model will have."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(slots=True)
class _Draft:
    """Layers and texts as they gather."""

    layers: list[Layer] = field(default_factory=list)
    texts: dict[Digest, bytes] = field(default_factory=dict)

    def text(self, media_type: str, data: bytes) -> Layer:
        digest = Digest(hashlib.sha256(data).hexdigest())
        self.texts[digest] = data
        return Layer(media_type=media_type, digest=digest, size=len(data))

    def drop(self, media_type: str) -> None:
        self.layers = [layer for layer in self.layers if layer.media_type != media_type]

    def add(self, layer: Layer) -> None:
        if all((layer.media_type, layer.digest) != (other.media_type, other.digest) for other in self.layers):
            self.layers.append(layer)

    def put(self, media_type: str, data: bytes) -> None:
        self.drop(media_type)
        if data:
            self.add(self.text(media_type, data))


class Planner:
    """Plans models out of other models and out of blobs that are already in the store."""

    def __init__(self, store: Store, headers: Headers, plugins: Plugins) -> None:
        self._store = store
        self._headers = headers
        self._plugins = plugins

    def plan(self, request: CreateRequest) -> Plan:
        """Return what a request makes; raise InvalidInput, UnknownName or ModelNotFound for what can't be made."""
        if not request.base and not request.files:
            raise InvalidInput("neither 'from' or 'files' was specified")
        base = read_contents(self._store, self._store.catalog.read(find(self._store, request.base))) if request.base else None
        draft = _Draft(list(_inherited(base)) if base else [])
        self._add_files(draft, request)
        _add_texts(draft, request, base)
        config = self._config(draft, request, base)
        check_names(config, self._plugins)
        if request.template:
            model = next(layer for layer in draft.layers if layer.media_type == layers.MODEL)
            try_template(request.template, self._headers.facts(model.digest), config, self._plugins)
        return _finish(draft, config, base)

    def _add_files(self, draft: _Draft, request: CreateRequest) -> None:
        for name, digest in request.files.items():
            layer = self._file(name, digest)
            if layer.media_type == layers.MODEL and any(other.media_type == layers.MODEL for other in draft.layers):
                raise InvalidInput(f"'{name}' would be a second model file; name one in FROM")
            draft.add(layer)
        adapters = {name: self._file(name, digest, layers.ADAPTER) for name, digest in request.adapters.items()}
        for layer in adapters.values():
            draft.add(layer)
        for name, digest in request.drafts.items():
            draft.drop(layers.DRAFT)
            draft.add(replace(self._file(name, digest, layers.MODEL), media_type=layers.DRAFT))
        model = next((layer for layer in draft.layers if layer.media_type == layers.MODEL), None)
        if model is None:
            raise InvalidInput("no model file among those given; FROM needs the weights of a model")
        for name, layer in adapters.items():
            check_adapter(name, self._headers.read(layer.digest), self._headers.read(model.digest))

    def _file(self, name: str, text: str, wanted: str = "") -> Layer:
        _check_relative(name)
        digest = Digest.parse(text)
        size = self._store.blobs.size(digest)
        if size is None:
            raise InvalidInput(f"blob {digest} of '{name}' is not in the store; upload it first")
        with gguf.named(name):
            role = role_of(self._headers.read(digest))
        if wanted and role != wanted:
            noun = "an adapter" if wanted == layers.ADAPTER else "a model"
            raise InvalidInput(f"'{name}' is not {noun} (its general.type says otherwise)")
        return Layer(media_type=role, digest=digest, size=size)

    def _config(self, draft: _Draft, request: CreateRequest, base: Contents | None) -> JsonObject:
        config: JsonObject = dict(base.config) if base else {}
        if base is None:
            model = next(layer for layer in draft.layers if layer.media_type == layers.MODEL)
            with gguf.named(request.model):
                config = configs.describe(self._headers.facts(model.digest))
        for kind in KINDS:
            config = configs.with_choice(config, kind, getattr(request, kind))
        if request.requires:
            config["requires"] = request.requires.removeprefix("v")
        return config


def plan_of_parts(parts: Iterable[Layer], config: JsonObject, parameters: JsonObject, headers: Headers) -> Plan:
    """Return the plan of a model as its source gives it: blobs, what the source knows of its config, recommended PARAMETERs."""
    draft = _Draft(list(parts))
    model = next((layer for layer in draft.layers if layer.media_type == layers.MODEL), None)
    if model is None:
        raise Unsupported("the source has no GGUF weights")
    if parameters:
        draft.put(layers.PARAMETERS, encode_parameters(parameters))
    return _finish(draft, configs.describe(headers.facts(model.digest)) | config, None)


def encode_parameters(parameters: JsonObject) -> bytes:
    """Return the bytes of a params blob; equal parameters give equal bytes."""
    return json.dumps(parameters, separators=(",", ":"), sort_keys=True).encode() if parameters else b""


def _inherited(base: Contents) -> Iterable[Layer]:
    if configs.text(base.config, "remote_host"):
        raise Unsupported(f"model '{base.installed.name.short}' is a stub for another server; only its server can build on it")
    weights = (layers.MODEL, layers.PROJECTOR, layers.ADAPTER, layers.DRAFT)
    for layer in base.installed.manifest.layers:
        yield replace(layer, base=base.installed.name.short) if layer.media_type in weights else layer


def _add_texts(draft: _Draft, request: CreateRequest, base: Contents | None) -> None:
    if request.template is not None:
        draft.put(layers.TEMPLATE, request.template.encode())
    if request.system is not None:
        draft.put(layers.SYSTEM, request.system.encode())
    for text in request.licenses:
        draft.add(draft.text(layers.LICENSE, text.encode()))
    inherited = base.parameters if base else {}
    parameters = inherited | request.parameters
    _check_parameters(request.parameters)
    if parameters != inherited:
        draft.put(layers.PARAMETERS, encode_parameters(parameters))
    if request.messages and request.messages != (base.messages if base else ()):
        draft.put(layers.MESSAGES, _encode_messages(request.messages))


def _check_parameters(parameters: JsonObject) -> None:
    """Raise InvalidOption for a wrong value; unknown names are kept, since models made for Ollama have some."""
    options.merge(parameters)


def _encode_messages(messages: Iterable[Message]) -> bytes:
    return json.dumps([{"role": m.role, "content": m.content} for m in messages], separators=(",", ":")).encode()


def _finish(draft: _Draft, config: JsonObject, base: Contents | None) -> Plan:
    if base and _is_same(draft, config, base):
        return Plan(manifest=base.installed.manifest, texts={}, data=base.installed.data)
    # These keys describe the layers of the model that the config was made for.
    data = configs.encode({key: value for key, value in config.items() if key not in ("rootfs", "history")})
    described = draft.text(layers.CONFIG_TYPE, data)
    ordered = tuple(sorted(draft.layers, key=lambda layer: _ORDER.index(layer.media_type) if layer.media_type in _ORDER else len(_ORDER)))
    manifest = Manifest(config=described, layers=ordered)
    return Plan(manifest=manifest, texts=draft.texts, data=manifest.encode())


def _is_same(draft: _Draft, config: JsonObject, base: Contents) -> bool:
    """Return whether nothing changes, so that the new model is a copy of its base: the same bytes, the same id."""
    made = sorted((layer.media_type, layer.digest) for layer in draft.layers)
    return config == base.config and made == sorted((layer.media_type, layer.digest) for layer in base.installed.manifest.layers)


def _check_relative(name: str) -> None:
    parts = name.replace("\\", "/").split("/")
    if not name or name.startswith(("/", "\\")) or ".." in parts:
        raise InvalidInput("file path must be relative")
