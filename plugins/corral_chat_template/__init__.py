"""Render with the Jinja chat template that a model file brings along, and read what such a template makes models write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec
    from corral_chat_template.templates import Templates


class ChatTemplate:
    """The plugin; an object, because it owns the child process in which templates run.

    The child starts with the first prompt and ends with the plugin.
    """

    def __init__(self) -> None:
        self._opened: Templates | None = None

    @hookimpl
    def declare_capabilities(self) -> Capabilities:
        """Offer the generic renderer and parser."""
        return Capabilities(
            api_version=API_VERSION,
            renderers=(RendererOffer(name="chat-template", summary="the model's own Jinja chat template"),),
            parsers=(ParserOffer(name="chat-template", support=self._support, summary="what the model's chat template lets expect"),),
        )

    @hookimpl
    def render_prompt(self, model: ModelSpec, conversation: Conversation) -> Prompt:
        """Render in the sandbox."""
        return self._templates().render(model, conversation)

    @hookimpl
    def parse_output(self, model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
        """Read what the template lets expect, from where the prompt leaves off."""
        return self._templates().parser(model, conversation, prompt)

    def close(self) -> None:
        """Stop the child process; the next prompt starts another."""
        if self._opened is not None:
            self._opened.close()

    def _support(self, model: ModelSpec) -> ParserSupport:
        return self._templates().support(model.facts)

    def _templates(self) -> Templates:
        if self._opened is None:
            from corral_chat_template.sandbox import Sandbox
            from corral_chat_template.templates import Templates

            self._opened = Templates(Sandbox())
        return self._opened


plugin = ChatTemplate()
