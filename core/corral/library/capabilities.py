"""What an installed model can do, in the words that Ollama's clients know."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from corral.errors import UnknownName
from corral.library.contents import weights
from corral.spec import ParserSupport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.gguf import Header
    from corral.library.contents import Contents, Headers
    from corral.library.plugins import Plugins
    from corral.library.specs import Specs
    from corral.spec import ModelSpec

_REMEMBERED = 1024


class Capabilities:
    """The words of each model, by the digest of its manifest: what has the same digest can do the same."""

    def __init__(self, headers: Headers, specs: Specs, plugins: Plugins) -> None:
        self._headers = headers
        self._specs = specs
        self._plugins = plugins
        self._known: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def known(self, digest: str) -> tuple[str, ...] | None:
        """Return the words of a model that was asked for before."""
        return self._known.get(digest)

    def of(self, contents: Contents) -> tuple[str, ...]:
        """Return the words of a model."""
        spec = self._specs.build(contents)
        header = self._headers.read(weights(contents).digest)
        words = _words(contents, spec, header, parser_support(spec, self._plugins))
        self._known[contents.installed.digest] = found = tuple(dict.fromkeys(words))
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return found


def parser_support(spec: ModelSpec, plugins: Plugins) -> ParserSupport:
    """Return what a model's parser can read; nothing when its plugin was uninstalled, and the model can only be shown."""
    try:
        return plugins.parser_support(spec)
    except UnknownName:
        return ParserSupport()


def _words(contents: Contents, spec: ModelSpec, header: Header, support: ParserSupport) -> Iterator[str]:
    """Yield them in Ollama's order."""
    stated = contents.config.get("capabilities")
    yield from (str(word) for word in stated) if isinstance(stated, list) else ()
    yield "rerank" if spec.facts.is_reranker else "embedding" if spec.facts.is_embedding else "completion"
    if f"{spec.facts.architecture}.vision.block_count" in header.fields or spec.projector:
        yield "vision"
    if support.tools:
        yield "tools"
    if _fills_in_the_middle(spec, header):
        yield "insert"
    if support.thinking != "none":
        yield "thinking"


def _fills_in_the_middle(spec: ModelSpec, header: Header) -> bool:
    if spec.template:
        return ".Suffix" in spec.template
    return any(key in header.fields for key in ("tokenizer.ggml.fim_mid_token_id", "tokenizer.ggml.middle_token_id"))
