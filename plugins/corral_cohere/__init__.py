"""Cohere's Command models: an action is a JSON list of calls, text and thinking stand between tags of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

_CALLS = "cohere"

_FAMILY = Markers(all_of=("<|START_ACTION|>", "<|CHATBOT_TOKEN|>"))
#: Other models have text between other tags, and other instructions; their templates are left to the chat-template renderer.
_RENDERS = Markers(all_of=(*_FAMILY.all_of, "<|START_TEXT|>", "Your name is North Mini Code."))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderer of North Mini Code, and the parser of all models that act."""
    support = ParserSupport(tools=True, parallel_tools=True, thinking="optional", argument_streaming=True, constrains=True)
    return Capabilities(
        api_version=API_VERSION,
        renderers=(RendererOffer(name="cohere", summary="North Mini Code", call_format=_CALLS, detect=_RENDERS),),
        parsers=(
            ParserOffer(name="cohere", support=support, summary="Command R7B, Command A and later", call_format=_CALLS, detect=_FAMILY),
        ),
    )


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render as North Mini Code was shown conversations."""
    from corral_cohere.rendering import render

    return render(conversation, "" if model.facts.adds_bos else model.facts.bos_token)


@hookimpl
def parse_output(conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_cohere.parsing import FORMAT

    return FORMAT.parser(conversation.tools, prompt.suffix)
