"""Qwen3.5 and its followers: ChatML turns, thinking first, and calls whose parameters stand between tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

CALL_FORMAT = "qwen3-coder"

_CALLS = ("<function=example_function_name>", "<|im_start|>", "<think>")
_EFFORT = "resolved_reasoning_effort"
_FIRST = Markers(all_of=(*_CALLS, "last_query_index", "video_count"), none_of=(_EFFORT,))
_LATER = Markers(all_of=(*_CALLS, "last_query_index", "video_count", _EFFORT))
#: Step 3.5 Flash is shown other prompts, and writes the same answers.
_STEP = Markers(all_of=(*_CALLS, "<|im_start|>tool_response"))
_ANSWERS = Markers(all_of=_CALLS, none_of=("truncate_history_thinking", "{reasoning effort:"))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderers of Qwen3.5, Qwen3.8, Ornith and Step 3.5, and the parser of all, under two names."""
    return Capabilities(
        api_version=API_VERSION,
        renderers=(
            RendererOffer(name="qwen3.5", summary="Qwen3.5 and Qwen3.6", call_format=CALL_FORMAT, detect=_FIRST, vision=True),
            RendererOffer(name="qwen3.8", summary="Qwen3.8", call_format=CALL_FORMAT, detect=_LATER, vision=True),
            RendererOffer(name="ornith", summary="Ornith", call_format=CALL_FORMAT, vision=True),
            RendererOffer(name="step3.5", summary="Step 3.5 Flash", call_format=CALL_FORMAT, detect=_STEP),
        ),
        parsers=(
            ParserOffer(
                name="qwen3.5", support=_support, summary="Qwen3.5 to Qwen3.8, Step 3.5 Flash", call_format=CALL_FORMAT, detect=_ANSWERS
            ),
            ParserOffer(name="ornith", support=_support, summary="Ornith", call_format=CALL_FORMAT),
        ),
    )


def _support(model: ModelSpec) -> ParserSupport:
    """Return what the parser reads; only Qwen3.8 was taught how hard to think, and Step 3.5 Flash thinks whatever it is told."""
    return ParserSupport(
        tools=True,
        parallel_tools=True,
        thinking="always" if model.renderer.name == "step3.5" else "optional",
        thinking_levels=("low", "medium", "high") if model.renderer.name == "qwen3.8" else (),
        argument_streaming=True,
        constrains=True,
    )


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render in the layout that the renderer's name asks for."""
    from corral_qwen35 import step
    from corral_qwen35.rendering import LAYOUTS, render

    if model.renderer.name == "step3.5":
        return step.render(conversation, "" if model.facts.adds_bos else model.facts.bos_token)
    return render(conversation, LAYOUTS[model.renderer.name])


@hookimpl
def parse_output(conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_qwen35.parsing import FORMAT

    return FORMAT.parser(conversation.tools, prompt.suffix)
