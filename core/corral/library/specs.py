"""What an installed model is to the rest of corral: a ModelSpec, made once and kept until its manifest changes."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from corral import gguf
from corral.errors import ModelNotFound
from corral.library.contents import Headers, blob_path, read_contents, weights
from corral.library.resolution import require_offered, settle
from corral.names import ModelName
from corral.spec import ModelSpec
from corral.store import manifest as layers

if TYPE_CHECKING:
    from corral.library.contents import Contents
    from corral.library.plugins import Plugins
    from corral.store import Store

    Stamp = tuple[int, int, int] | None

_REMEMBERED = 128


class Specs:
    """Resolved models by name. A warm lookup costs one `stat` of the manifest and one of the weights."""

    def __init__(self, store: Store, headers: Headers, plugins: Plugins) -> None:
        self._store = store
        self._headers = headers
        self._plugins = plugins
        self._known: OrderedDict[str, tuple[ModelName, Stamp, int, ModelSpec]] = OrderedDict()

    def resolve(self, text: str) -> ModelSpec:
        """Return an installed model, with plugins that exist and weights that are there."""
        known = self._known.get(text)
        if known is not None and self._is_fresh(*known):
            return known[3]
        self._known.pop(text, None)
        return self._remember(text, find(self._store, text))

    def build(self, contents: Contents) -> ModelSpec:
        """Return the spec of a model, whether or not its plugins are installed."""
        name = contents.installed.name.short
        manifest = contents.installed.manifest
        model = weights(contents)
        path = blob_path(self._store, model, name)
        with gguf.named(name):
            facts = self._headers.facts(model.digest)
        choices = settle(contents.config, facts.chat_template, has_go_template=bool(contents.template), plugins=self._plugins)
        projectors = manifest.all(layers.PROJECTOR)
        draft = manifest.one(layers.DRAFT)
        return ModelSpec(
            name=name,
            digest=contents.installed.digest,
            path=path,
            facts=facts,
            renderer=choices.renderer,
            parser=choices.parser,
            runner=choices.runner,
            projector=blob_path(self._store, projectors[0], name) if projectors else None,
            adapters=tuple(blob_path(self._store, layer, name) for layer in manifest.all(layers.ADAPTER)),
            draft=blob_path(self._store, draft, name) if draft else None,
            template=contents.template,
            system=contents.system,
            messages=contents.messages,
            parameters=contents.parameters,
        )

    def _remember(self, text: str, name: ModelName) -> ModelSpec:
        stamp = self._store.catalog.stamp(name)
        installed = self._store.catalog.read(name)
        contents = read_contents(self._store, installed)
        spec = self.build(contents)
        require_offered(spec, self._plugins)
        self._known[text] = (name, stamp, weights(contents).size, spec)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return spec

    def _is_fresh(self, name: ModelName, stamp: Stamp, size: int, spec: ModelSpec) -> bool:
        if stamp is None or self._store.catalog.stamp(name) != stamp:
            return False
        try:
            return spec.path.stat().st_size == size
        except OSError:
            return False


def find(store: Store, text: str) -> ModelName:
    """Return the installed name that a text means; raise InvalidName, or ModelNotFound with the text as it was given."""
    name = ModelName.parse(text)
    try:
        return store.catalog.find(name)
    except ModelNotFound:
        raise ModelNotFound(text, [other.short.removesuffix(":latest") for other in store.catalog.names()]) from None


def target(store: Store, text: str) -> ModelName:
    """Return the name to write to: an installed one that differs in case only is meant. Raises InvalidName."""
    try:
        return find(store, text)
    except ModelNotFound:
        return ModelName.parse(text)
