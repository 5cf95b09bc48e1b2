"""Everything there is to tell about an installed model: what `list` and `show` print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.api import ModelDetails, ModelSummary
from corral.errors import UnknownName
from corral.gguf import Array, read_numbers, read_strings
from corral.library import config as configs
from corral.library.capabilities import parser_support
from corral.library.contents import weights
from corral.store import manifest as layers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corral.conversation import Json, JsonObject
    from corral.gguf import Header
    from corral.library.contents import Contents, Headers
    from corral.library.plugins import Kind, Plugins
    from corral.spec import ModelSpec
    from corral.store import Installed

# `show` has fields of their own for these.
_SHOWN_ELSEWHERE = ("general.name", "tokenizer.chat_template")


def summarize(installed: Installed, config: JsonObject) -> ModelSummary:
    """Return the line of a model in `list`, from its manifest and config alone."""
    families = config.get("model_families")
    model = installed.manifest.one(layers.MODEL)
    return ModelSummary(
        name=installed.name.short,
        digest=installed.digest,
        size=installed.manifest.size,
        modified_at=installed.modified_at,
        family=configs.text(config, "model_family"),
        families=tuple(str(family) for family in families) if isinstance(families, list) else (),
        parameter_size=configs.text(config, "model_type"),
        file_type=configs.text(config, "file_type"),
        format=configs.text(config, "model_format") or "gguf",
        parent=model.base if model else "",
        context_length=configs.number(config, "context_length"),
        embedding_length=configs.number(config, "embedding_length"),
    )


def detail(
    contents: Contents, spec: ModelSpec, modelfile: str, capabilities: tuple[str, ...], *, headers: Headers, plugins: Plugins, verbose: bool
) -> ModelDetails:  # fmt: skip
    """Return what `show` says about a model."""
    header = headers.read(weights(contents).digest)
    return ModelDetails(
        summary=summarize(contents.installed, contents.config),
        spec=spec,
        modelfile=modelfile,
        licenses=contents.licenses,
        requires=configs.text(contents.config, "requires"),
        capabilities=capabilities,
        support=parser_support(spec, plugins),
        providers=dict(_providers(spec, plugins)),
        metadata={key: value for key, value in _metadata(header, verbose=verbose) if key not in _SHOWN_ELSEWHERE},
        tensors=tuple((tensor.name, tensor.type.name, tensor.shape) for tensor in header.tensors),
    )


def _providers(spec: ModelSpec, plugins: Plugins) -> Iterator[tuple[str, str]]:
    kinds: tuple[tuple[Kind, str], ...] = (("renderer", spec.renderer.name), ("parser", spec.parser.name), ("runner", spec.runner.name))
    for kind, name in kinds:
        try:
            yield kind, plugins.provider(kind, name)
        except UnknownName as error:
            yield kind, f"missing: {error}"


def _metadata(header: Header, *, verbose: bool) -> Iterator[tuple[str, Json]]:
    for key, field in header.fields.items():
        if isinstance(field, Array):
            yield key, _items(header, key, field) if verbose else None
        else:
            yield key, field.value
    yield "general.parameter_count", sum(tensor.elements for tensor in header.tensors)


def _items(header: Header, key: str, array: Array) -> Json:
    return [*read_strings(header, key)] if array.is_text else [*read_numbers(header, key)]
