"""Kimi K2: calls in a section of special tokens, each headed by its own id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

_CALLS = "kimi-k2"

_FAMILY = Markers(all_of=("<|tool_calls_section_begin|>", "<|im_middle|>"))
#: The first release's template numbers calls in another way; it is left to the chat-template renderer.
_NUMBERED = (*_FAMILY.all_of, "tool_call_counter", "tool_declare<|im_middle|>{{ tools | tojson }}", "You are Kimi, an AI assistant")
_INSTRUCT = Markers(all_of=_NUMBERED, none_of=("<think>",))
_THINKING = Markers(all_of=(*_NUMBERED, "<think>"))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderers of Kimi K2 Instruct and Thinking, and the parser of both."""
    support = ParserSupport(tools=True, parallel_tools=True, thinking="optional", argument_streaming=True, constrains=True)
    return Capabilities(
        api_version=API_VERSION,
        renderers=(
            RendererOffer(name="kimi-k2", summary="Kimi K2 Instruct", call_format=_CALLS, detect=_INSTRUCT),
            RendererOffer(name="kimi-k2-thinking", summary="Kimi K2 Thinking", call_format=_CALLS, detect=_THINKING),
        ),
        parsers=(ParserOffer(name="kimi-k2", support=support, summary="Kimi K2", call_format=_CALLS, detect=_FAMILY),),
    )


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render with or without thinking, as the renderer's name says."""
    from corral_kimi.rendering import render

    return render(conversation, thinks=model.renderer.name == "kimi-k2-thinking")


@hookimpl
def parse_output(conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_kimi.parsing import FORMAT

    return FORMAT.parser(conversation.tools, prompt.suffix)
