"""SmolLM3: ChatML turns under a fixed heading, thinking by a switch, and calls that are JSON objects between tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser

CALL_FORMAT = "hermes"

_FAMILY = ("named SmolLM, trained by Hugging Face", "Reasoning Mode: ")
#: Another edition of the template writes the day's date and tools in ways of its own.
_LAYOUT = Markers(all_of=_FAMILY, none_of=("xml_tools",))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderer and the parser of SmolLM3."""
    support = ParserSupport(tools=True, parallel_tools=True, thinking="optional", argument_streaming=True, constrains=True)
    renderer = RendererOffer(name="smollm3", summary="SmolLM3", call_format=CALL_FORMAT, detect=_LAYOUT)
    parser = ParserOffer(name="smollm3", support=support, summary="SmolLM3", call_format=CALL_FORMAT, detect=Markers(all_of=_FAMILY))
    return Capabilities(api_version=API_VERSION, renderers=(renderer,), parsers=(parser,))


@hookimpl
def render_prompt(conversation: Conversation) -> Prompt:
    """Render as the reference template does, and tools as the model was shown them."""
    from corral_smollm3.rendering import render

    return render(conversation)


@hookimpl
def parse_output(conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_smollm3.parsing import FORMAT

    return FORMAT.parser(conversation.tools, prompt.suffix)
