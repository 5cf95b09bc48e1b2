"""Seed-OSS: tools shown as Python functions, calls whose parameters stand between tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser

_CALLS = "seed-oss"
_DETECT = Markers(all_of=("<seed:tool_call>", "<seed:think>"))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderer and the parser of Seed-OSS."""
    support = ParserSupport(tools=True, parallel_tools=True, thinking="optional", argument_streaming=True, constrains=True)
    return Capabilities(
        api_version=API_VERSION,
        renderers=(RendererOffer(name="seed-oss", summary="Seed-OSS", call_format=_CALLS, detect=_DETECT),),
        parsers=(ParserOffer(name="seed-oss", support=support, summary="Seed-OSS", call_format=_CALLS, detect=_DETECT),),
    )


@hookimpl
def render_prompt(conversation: Conversation) -> Prompt:
    """Render as Seed-OSS was shown conversations."""
    from corral_seed_oss.rendering import render

    return render(conversation)


@hookimpl
def parse_output(conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_seed_oss.parsing import FORMAT

    return FORMAT.parser(conversation.tools, prompt.suffix)
