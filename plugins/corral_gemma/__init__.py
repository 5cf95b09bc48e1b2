"""Gemma 4 and FunctionGemma: calls in literals of their own, thinking in a channel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

_CALLS = "gemma4"
_FUNCTION_CALLS = "functiongemma"

_FAMILY = Markers(all_of=("<|turn>", "<|tool_call>call:"))
#: The interleaved template shows results in another way; it is left to the chat-template renderer.
_GEMMA_4 = Markers(all_of=(*_FAMILY.all_of, "continue_same_model_turn"))
_FUNCTION_GEMMA = Markers(all_of=("<start_function_call>", "<escape>"))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderer of Gemma 4, and the parsers of Gemma 4 and FunctionGemma."""
    support = ParserSupport(tools=True, parallel_tools=True, argument_streaming=True, constrains=True)
    thinks = replace(support, thinking="optional")
    return Capabilities(
        api_version=API_VERSION,
        renderers=(RendererOffer(name="gemma4", summary="Gemma 4", call_format=_CALLS, detect=_GEMMA_4, vision=True),),
        parsers=(
            ParserOffer(name="gemma4", support=thinks, summary="Gemma 4", call_format=_CALLS, detect=_FAMILY),
            ParserOffer(name="gemma4-no-thinking", support=support, summary="Gemma 4 without thinking", call_format=_CALLS),
            ParserOffer(
                name="functiongemma", support=support, summary="FunctionGemma", call_format=_FUNCTION_CALLS, detect=_FUNCTION_GEMMA
            ),
        ),
    )


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render as Gemma 4 was shown conversations."""
    from corral_gemma.rendering import render

    return render(conversation, "" if model.facts.adds_bos else model.facts.bos_token)


@hookimpl
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_gemma.parsing import FUNCTION, NO_THINKING, THINKING

    formats = {"gemma4": THINKING, "gemma4-no-thinking": NO_THINKING, "functiongemma": FUNCTION}
    return formats[model.parser.name].parser(conversation.tools, prompt.suffix)
