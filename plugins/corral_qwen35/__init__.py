"""Qwen3.5 and its followers: ChatML turns, thinking first, and calls whose parameters stand between tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser

CALL_FORMAT = "qwen3-coder"

_CALLS = ("<function=example_function_name>", "<|im_start|>", "<think>")
_LAYOUT = Markers(all_of=(*_CALLS, "last_query_index", "video_count"), none_of=("resolved_reasoning_effort",))
#: Step 3.5, Qwen3.6 and Qwen3.8 write other prompts, and the same answers.
_ANSWERS = Markers(all_of=_CALLS, none_of=("truncate_history_thinking", "{reasoning effort:"))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderer and the parser of Qwen3.5."""
    support = ParserSupport(tools=True, parallel_tools=True, thinking="optional", argument_streaming=True, constrains=True)
    renderer = RendererOffer(name="qwen3.5", summary="Qwen3.5 and Qwen3.6", call_format=CALL_FORMAT, detect=_LAYOUT, vision=True)
    parser = ParserOffer(name="qwen3.5", support=support, summary="Qwen3.5 to Qwen3.8", call_format=CALL_FORMAT, detect=_ANSWERS)
    return Capabilities(api_version=API_VERSION, renderers=(renderer,), parsers=(parser,))


@hookimpl
def render_prompt(conversation: Conversation) -> Prompt:
    """Render as the reference template does."""
    from corral_qwen35.rendering import render

    return render(conversation)


@hookimpl
def parse_output(conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_qwen35.parsing import FORMAT

    return FORMAT.parser(conversation.tools, prompt.suffix)
