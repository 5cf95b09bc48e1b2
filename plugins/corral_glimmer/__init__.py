"""Muse Glimmer: every message of the assistant says whom it is for, itself, the user or a tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

_CALLS = "glimmer"
_DETECT = Markers(all_of=("<atem:function_calls>", "<|start|>assistant to=self<|message|>"))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderer and the parser of Muse Glimmer."""
    support = ParserSupport(
        tools=True,
        parallel_tools=True,
        thinking="optional",
        thinking_levels=("low", "medium", "high"),
        argument_streaming=True,
        constrains=True,
    )
    return Capabilities(
        api_version=API_VERSION,
        renderers=(RendererOffer(name="glimmer", summary="Muse Glimmer", call_format=_CALLS, detect=_DETECT, vision=True),),
        parsers=(ParserOffer(name="glimmer", support=support, summary="Muse Glimmer", call_format=_CALLS, detect=_DETECT),),
    )


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render as Muse Glimmer was shown conversations."""
    from corral_glimmer.rendering import render

    return render(conversation, "" if model.facts.adds_bos else model.facts.bos_token)


@hookimpl
def parse_output(conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_glimmer.parsing import FORMAT

    return FORMAT.parser(conversation.tools, prompt.suffix)
