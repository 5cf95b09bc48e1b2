"""What the library asks of the plugin host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corral.conversation import Conversation, Prompt
    from corral.fetching import ModelSource
    from corral.spec import ModelSpec, ParserOffer, ParserSupport, RendererOffer

#: The plugins that a model names.
Kind: TypeAlias = Literal["renderer", "parser", "runner"]
KINDS: tuple[Kind, ...] = ("renderer", "parser", "runner")


class Plugins(Protocol):
    """The names that plugins offer, and the three things a library has them do."""

    def renderers(self) -> Mapping[str, RendererOffer]:
        """Return all renderers by name."""

    def parsers(self) -> Mapping[str, ParserOffer]:
        """Return all parsers by name."""

    def runners(self) -> frozenset[str]:
        """Return the names of all runners."""

    def sources(self) -> frozenset[str]:
        """Return the schemes of all model sources."""

    def provider(self, kind: Kind, name: str) -> str:
        """Return the distribution and version that offer a name; raise UnknownName."""

    def parser_support(self, model: ModelSpec) -> ParserSupport:
        """Return what the model's parser can read."""

    def render_prompt(self, model: ModelSpec, conversation: Conversation) -> Prompt:
        """Render a conversation with the model's renderer."""

    def open_source(self, reference: str) -> ModelSource:
        """Return the source of a reference of the form `scheme:rest`."""


def offered(plugins: Plugins, kind: Kind) -> frozenset[str]:
    """Return the installed names of a kind."""
    match kind:
        case "renderer":
            return frozenset(plugins.renderers())
        case "parser":
            return frozenset(plugins.parsers())
        case "runner":
            return plugins.runners()
