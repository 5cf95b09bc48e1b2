"""MiniMax-M2: several invocations in one wrapper, parameters between tags, and thinking before every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser

_CALLS = "minimax-m2"
_FAMILY = Markers(all_of=("<minimax:tool_call>", "<invoke name="))
#: Later models say who they are where M2 says no more than this.
_RENDERS = Markers(all_of=(*_FAMILY.all_of, 'model_identity = "You are a helpful assistant."'))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderer and the parser of MiniMax-M2."""
    support = ParserSupport(tools=True, parallel_tools=True, thinking="always", argument_streaming=True, constrains=True)
    return Capabilities(
        api_version=API_VERSION,
        renderers=(RendererOffer(name="minimax-m2", summary="MiniMax-M2", call_format=_CALLS, detect=_RENDERS),),
        parsers=(ParserOffer(name="minimax-m2", support=support, summary="MiniMax-M2", call_format=_CALLS, detect=_FAMILY),),
    )


@hookimpl
def render_prompt(conversation: Conversation) -> Prompt:
    """Render as MiniMax-M2 was shown conversations."""
    from corral_minimax.rendering import render

    return render(conversation)


@hookimpl
def parse_output(conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_minimax.parsing import FORMAT

    return FORMAT.parser(conversation.tools, prompt.suffix)
