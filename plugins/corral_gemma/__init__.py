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
#: The interleaved template, and the one of July 2026, show turns in another way; they are left to the chat-template renderer.
_TURNS = Markers(all_of=(*_FAMILY.all_of, "continue_same_model_turn"), none_of=("continues_into_next",))
_NO_THOUGHT = "<|channel>thought\\n<channel|>"
_LARGE = replace(_TURNS, all_of=(*_TURNS.all_of, _NO_THOUGHT))
_SMALL = replace(_TURNS, none_of=(*_TURNS.none_of, _NO_THOUGHT))
_FUNCTION_GEMMA = Markers(all_of=("<start_function_call>", "<escape>"))

#: What the names of the small models say; E4B has 8 billion parameters, the smallest large one 12.
_SMALL_NAMES = ("e2b", "e4b")
_MOST_OF_SMALL = 10_000_000_000


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderers and parsers of Gemma 4 and FunctionGemma."""
    support = ParserSupport(tools=True, parallel_tools=True, argument_streaming=True, constrains=True)
    thinks = replace(support, thinking="optional")
    gemma = RendererOffer(name="gemma4", summary="Gemma 4 of any size", call_format=_CALLS, vision=True)
    return Capabilities(
        api_version=API_VERSION,
        renderers=(
            gemma,
            replace(gemma, name="gemma4-large", summary="Gemma 4 12B and larger", detect=_LARGE),
            replace(gemma, name="gemma4-small", summary="Gemma 4 E2B and E4B", detect=_SMALL),
            RendererOffer(name="functiongemma", summary="FunctionGemma", call_format=_FUNCTION_CALLS),
        ),
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
    """Render as the models were shown conversations that the renderer is named for."""
    from corral_gemma import function_gemma, rendering

    bos = "" if model.facts.adds_bos else model.facts.bos_token
    if model.renderer.name == "functiongemma":
        return function_gemma.render(conversation, bos)
    return rendering.render(conversation, bos, is_large=_is_large(model))


def _is_large(model: ModelSpec) -> bool:
    """Return what the renderer's name says, or else the model's name, or else its size."""
    if model.renderer.name != "gemma4":
        return model.renderer.name == "gemma4-large"
    names = f"{model.name} {model.facts.name}".lower()
    return not (any(name in names for name in _SMALL_NAMES) or 0 < model.facts.parameter_count < _MOST_OF_SMALL)


@hookimpl
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_gemma.parsing import FUNCTION, NO_THINKING, THINKING

    formats = {"gemma4": THINKING, "gemma4-no-thinking": NO_THINKING, "functiongemma": FUNCTION}
    return formats[model.parser.name].parser(conversation.tools, prompt.suffix)
