"""Phi-3 and Phi-3.5: turns between role tags, no tools, no thinking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser

#: Phi-4-mini has the same turns, and tools of its own; Phi-3-vision shows pictures.
_DETECT = Markers(all_of=("'<|system|>", "'<|user|>", "'<|assistant|>", "<|end|>"), none_of=("tools", "<|image"))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderer and the parser of Phi-3."""
    return Capabilities(
        api_version=API_VERSION,
        renderers=(RendererOffer(name="phi3", summary="Phi-3 and Phi-3.5", detect=_DETECT),),
        parsers=(ParserOffer(name="phi3", support=ParserSupport(), summary="Phi-3 and Phi-3.5", detect=_DETECT),),
    )


@hookimpl
def render_prompt(conversation: Conversation) -> Prompt:
    """Render as the reference template does."""
    from corral_phi.rendering import render

    return render(conversation)


@hookimpl
def parse_output(prompt: Prompt) -> OutputParser:
    """Return a parser for which all text is content."""
    from corral.formats import Format, Sink, State

    return Format(states={"content": State(Sink.CONTENT, trim_end=False)}).parser(suffix=prompt.suffix)
