"""Qwen3-Coder: ChatML turns, and calls whose parameters stand between tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

CALL_FORMAT = "qwen3-coder"

#: Qwen3.5 and others write the same calls under other headings, and think.
_FAMILY = Markers(all_of=("<function=example_function_name>", "<|im_start|>"), none_of=("<think>",))
_FIRST = Markers(all_of=(*_FAMILY.all_of, "the following functions"), none_of=_FAMILY.none_of)
_SECOND = Markers(all_of=(*_FAMILY.all_of, "the following tools"), none_of=_FAMILY.none_of)


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderers of both wordings, and the parser of both."""
    support = ParserSupport(tools=True, parallel_tools=True, argument_streaming=True, constrains=True)
    return Capabilities(
        api_version=API_VERSION,
        renderers=(
            RendererOffer(name="qwen3-coder", summary="Qwen3-Coder 30B and 480B", call_format=CALL_FORMAT, detect=_FIRST),
            RendererOffer(name="qwen3-coder-v2", summary="the later wording of the same template", call_format=CALL_FORMAT, detect=_SECOND),
        ),
        parsers=(ParserOffer(name="qwen3-coder", support=support, summary="Qwen3-Coder", call_format=CALL_FORMAT, detect=_FAMILY),),
    )


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render in the wording that the renderer's name asks for."""
    from corral_qwen3_coder.rendering import render
    from corral_qwen3_coder.wording import FIRST, SECOND

    return render(conversation, SECOND if model.renderer.name == "qwen3-coder-v2" else FIRST)


@hookimpl
def parse_output(conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_qwen3_coder.parsing import FORMAT

    return FORMAT.parser(conversation.tools, prompt.suffix)
