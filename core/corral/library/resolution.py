"""Which renderer, parser and runner a model uses, and why: explicit, inherited, detected, or the default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.errors import InvalidInput, PluginError, UnknownName
from corral.library import config as configs
from corral.library.plugins import KINDS, offered
from corral.spec import Choice, Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral.conversation import JsonObject
    from corral.library.plugins import Kind, Plugins
    from corral.spec import ModelSpec, ParserOffer, RendererOffer

_DEFAULTS: dict[Kind, str] = {"renderer": "chat-template", "parser": "chat-template", "runner": "llama-cpp"}
GO_TEMPLATE = "go-template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The plugins of a model."""

    renderer: Choice
    parser: Choice
    runner: Choice


def settle(config: JsonObject, chat_template: str, *, has_go_template: bool, plugins: Plugins) -> Choices:
    """Return the plugins that a model uses; raise PluginError when two claim to recognise its template.

    Names that the model itself gives are not checked here: a model whose plugin is gone can still be shown.
    """
    renderer = _renderer(config, chat_template, has_go_template=has_go_template, plugins=plugins)
    parser = _chosen(config, "parser") or _parser_of(renderer, plugins) or _detected("parser", plugins.parsers(), chat_template)
    parser = parser or _default("parser")
    if not _fits(renderer.name, parser.name, plugins):
        renderer, parser = _reconciled(renderer, parser)
    return Choices(renderer=renderer, parser=parser, runner=_chosen(config, "runner") or _default("runner"))


def require_offered(model: ModelSpec, plugins: Plugins) -> None:
    """Raise UnknownName, with the installed names and a suggestion, for a name that no plugin offers."""
    _require("renderer", model.renderer.name, plugins)
    _require("parser", model.parser.name, plugins)
    _require("runner", model.runner.name, plugins)


def check_names(config: JsonObject, plugins: Plugins) -> None:
    """Raise UnknownName or InvalidInput when a model that is being made names what can't work."""
    names = {kind: choice.name for kind in KINDS if (choice := configs.named(config, kind))}
    for kind, name in names.items():
        _require(kind, name, plugins)
    renderer, parser = names.get("renderer"), names.get("parser")
    if renderer and parser and not _fits(renderer, parser, plugins):
        written, read = plugins.renderers()[renderer].call_format, plugins.parsers()[parser].call_format
        raise InvalidInput(
            f"renderer '{renderer}' writes tool calls as {written} and parser '{parser}' reads {read}; choose a pair of one format"
        )  # fmt: skip


def _require(kind: Kind, name: str, plugins: Plugins) -> None:
    names = offered(plugins, kind)
    if name not in names:
        raise UnknownName(kind, name, names)


def _renderer(config: JsonObject, chat_template: str, *, has_go_template: bool, plugins: Plugins) -> Choice:
    chosen = _chosen(config, "renderer")
    if chosen:
        return chosen
    if not has_go_template:
        return _detected("renderer", plugins.renderers(), chat_template) or _default("renderer")
    if GO_TEMPLATE in plugins.renderers():
        return Choice(name=GO_TEMPLATE, origin=Origin.DETECTED, reason="the model has a Go TEMPLATE")
    reason = f"the model has a Go TEMPLATE and no plugin offers '{GO_TEMPLATE}'; the file's own chat template is used instead"
    return Choice(name=_DEFAULTS["renderer"], origin=Origin.DEFAULT, reason=reason)


def _parser_of(renderer: Choice, plugins: Plugins) -> Choice | None:
    """Return the parser that infers its tags from a Go template; the file's own chat template says nothing about those."""
    if renderer.name != GO_TEMPLATE or GO_TEMPLATE not in plugins.parsers():
        return None
    return Choice(name=GO_TEMPLATE, origin=Origin.DETECTED, reason="the model has a Go TEMPLATE")


def _chosen(config: JsonObject, kind: Kind) -> Choice | None:
    if configs.is_cleared(config, kind):
        reason = f"the Modelfile says {kind.upper()} {configs.NONE}"
        return Choice(name=_DEFAULTS[kind], origin=Origin.DEFAULT, reason=reason)
    return configs.named(config, kind)


def _detected(kind: Kind, offers: Mapping[str, RendererOffer] | Mapping[str, ParserOffer], chat_template: str) -> Choice | None:
    names = sorted(offer.name for offer in offers.values() if offer.detect and offer.detect.match(chat_template))
    if len(names) > 1:
        listed = " and ".join(f"'{name}'" for name in names)
        raise PluginError(f"{kind}s {listed} all recognise the model's chat template; name one in a Modelfile ({kind.upper()} {names[0]})")
    return Choice(name=names[0], origin=Origin.DETECTED, reason="recognised by the model's chat template") if names else None


def _default(kind: Kind) -> Choice:
    reason = "" if kind == "runner" else "no plugin recognises the model's chat template"
    return Choice(name=_DEFAULTS[kind], origin=Origin.DEFAULT, reason=reason)


def _fits(renderer: str, parser: str, plugins: Plugins) -> bool:
    writer, reader = plugins.renderers().get(renderer), plugins.parsers().get(parser)
    if writer is None or reader is None or not writer.call_format or not reader.call_format:
        return True
    return writer.call_format == reader.call_format


def _reconciled(renderer: Choice, parser: Choice) -> tuple[Choice, Choice]:
    """Give up what was only detected in favour of what was said."""
    if parser.origin is Origin.DETECTED:
        reason = f"parser '{parser.name}' was recognised but does not read what renderer '{renderer.name}' writes"
        return renderer, Choice(name=_DEFAULTS["parser"], origin=Origin.DEFAULT, reason=reason)
    if renderer.origin is Origin.DETECTED:
        reason = f"renderer '{renderer.name}' was recognised but does not write what parser '{parser.name}' reads"
        return Choice(name=_DEFAULTS["renderer"], origin=Origin.DEFAULT, reason=reason), parser
    return renderer, parser
