"""Poolside's Laguna: turns between tags named for who speaks, a call's keys and values between tags of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

_CALLS = "laguna"

_ON_LINES = ("〈|EOS|〉", "<arg_key>", '"<user>\\n"')
_LAGUNA = Markers(all_of=(*_ON_LINES, "made by Poolside"))
_NAMELESS = Markers(all_of=_ON_LINES, none_of=("made by Poolside",))
_POOLSIDE = Markers(all_of=("〈|EOS|〉", "<arg_key>", '"<user>" +'))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderers and parsers of Laguna XS.2, XS 2.1 and S 2.1."""
    support = ParserSupport(tools=True, parallel_tools=True, thinking="optional", argument_streaming=True, constrains=True)
    return Capabilities(
        api_version=API_VERSION,
        renderers=(
            RendererOffer(name="laguna", summary="Laguna XS.2", call_format=_CALLS, detect=_LAGUNA),
            RendererOffer(name="laguna-xs-2.1", summary="Laguna XS 2.1", call_format=_CALLS, detect=_NAMELESS),
            RendererOffer(name="poolside-v1", summary="Laguna S 2.1", call_format=_CALLS, detect=_POOLSIDE),
        ),
        parsers=(
            ParserOffer(name="laguna", support=support, summary="Laguna XS", call_format=_CALLS, detect=Markers(all_of=_ON_LINES)),
            ParserOffer(name="poolside-v1", support=support, summary="Laguna S 2.1", call_format=_CALLS, detect=_POOLSIDE),
        ),
    )


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render in the layout that the renderer's name asks for."""
    from corral_laguna.rendering import LAYOUTS, render

    return render(conversation, LAYOUTS[model.renderer.name], "" if model.facts.adds_bos else "〈|EOS|〉")


@hookimpl
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_laguna.parsing import ON_LINES, POOLSIDE

    return (POOLSIDE if model.parser.name == "poolside-v1" else ON_LINES).parser(conversation.tools, prompt.suffix)
