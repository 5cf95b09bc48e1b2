"""Olmo 3: ChatML turns, calls that are Python between tags, and models that only think.

The renderers go by name only: a GGUF that brings a chat template is rendered by that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

CALL_FORMAT = "olmo3"

_OLMO = ("<|im_start|>", "Olmo", "allenai")
_CALLS = "<function_calls>"


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderers and parsers of Olmo 3 Instruct and Olmo 3 Think."""
    calls = ParserSupport(tools=True, parallel_tools=True, argument_streaming=True, constrains=True)
    thoughts = ParserSupport(thinking="always", constrains=True)
    return Capabilities(
        api_version=API_VERSION,
        renderers=(
            RendererOffer(name="olmo3", summary="Olmo 3 Instruct", call_format=CALL_FORMAT),
            RendererOffer(name="olmo3.1", summary="Olmo 3.1 Instruct", call_format=CALL_FORMAT),
            RendererOffer(name="olmo3-think", summary="Olmo 3 7B Think and Olmo 3.1 Think"),
            RendererOffer(name="olmo3-32b-think", summary="Olmo 3 32B Think"),
        ),
        parsers=(
            ParserOffer(
                name="olmo3",
                support=calls,
                summary="Olmo 3 Instruct",
                call_format=CALL_FORMAT,
                detect=Markers(all_of=(*_OLMO, _CALLS), none_of=("<think>",)),
            ),
            ParserOffer(
                name="olmo3-think",
                support=thoughts,
                summary="Olmo 3 Think",
                detect=Markers(all_of=(*_OLMO, "<think>")),
            ),
        ),
    )


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render in the layout that the renderer's name asks for."""
    from corral_olmo.rendering import LAYOUTS, render

    return render(conversation, LAYOUTS[model.renderer.name])


@hookimpl
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_olmo.parsing import CALLS, THOUGHTS

    return (THOUGHTS if model.parser.name == "olmo3-think" else CALLS).parser(conversation.tools, prompt.suffix)
