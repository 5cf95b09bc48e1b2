"""Render with the Go template of a Modelfile's `TEMPLATE`, and read what such a template makes models write.

An interpreter of its own, because only that knows which characters of a prompt the template's author wrote: the Go template
packages on PyPI return one string (and gotpl 0.1, the complete one, is a pre-release of 27,000 lines). Tests compare with Go itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec
    from corral_go_template.templates import Templates


class GoTemplate:
    """The plugin; an object, because it remembers parsed templates."""

    def __init__(self) -> None:
        self._opened: Templates | None = None

    @hookimpl
    def declare_capabilities(self) -> Capabilities:
        """Offer the renderer and the parser of Go templates."""
        return Capabilities(
            api_version=API_VERSION,
            renderers=(RendererOffer(name="go-template", summary="the Go TEMPLATE of a Modelfile"),),
            parsers=(ParserOffer(name="go-template", support=self._support, summary="what the Go TEMPLATE lets expect"),),
        )

    @hookimpl
    def render_prompt(self, model: ModelSpec, conversation: Conversation) -> Prompt:
        """Run the template over the conversation."""
        return self._templates().render(model, conversation)

    @hookimpl
    def parse_output(self, model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
        """Read what the template lets expect, from where the prompt leaves off."""
        return self._templates().parser(model, conversation, prompt)

    def _support(self, model: ModelSpec) -> ParserSupport:
        return self._templates().support(model)

    def _templates(self) -> Templates:
        if self._opened is None:
            from datetime import datetime

            from corral_go_template.templates import Templates

            self._opened = Templates(today=lambda: datetime.now().astimezone().date())
        return self._opened


plugin = GoTemplate()
