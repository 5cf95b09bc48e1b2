"""DeepSeek V3.1 and R1: calls in a section of special tokens, JSON arguments behind a separator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

_V3_CALLS = "deepseek-v3"
_R1_CALLS = "deepseek-r1"

_V3 = Markers(all_of=("<｜tool▁sep｜>",), none_of=("```json",))
#: Another template of the same models opens the thinking that it closes; it is left to the chat-template renderer.
_V3_RENDERS = Markers(all_of=(*_V3.all_of, "</think>"), none_of=(*_V3.none_of, "<think></think>"))
_R1 = Markers(all_of=("<｜tool▁sep｜>", "```json"))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderer of V3.1, and the parsers of V3.1 and R1."""
    support = ParserSupport(tools=True, parallel_tools=True, thinking="optional", argument_streaming=True, constrains=True)
    return Capabilities(
        api_version=API_VERSION,
        renderers=(RendererOffer(name="deepseek3.1", summary="DeepSeek V3.1", call_format=_V3_CALLS, detect=_V3_RENDERS),),
        parsers=(
            ParserOffer(name="deepseek3", support=support, summary="DeepSeek V3.1", call_format=_V3_CALLS, detect=_V3),
            ParserOffer(name="deepseek3.1", support=support, summary="DeepSeek V3.1", call_format=_V3_CALLS),
            ParserOffer(
                name="deepseek-r1", support=support, summary="DeepSeek V3, R1 and its distillates", call_format=_R1_CALLS, detect=_R1
            ),
        ),
    )


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render as DeepSeek V3.1 was shown conversations."""
    from corral_deepseek.rendering import render

    return render(conversation, "" if model.facts.adds_bos else model.facts.bos_token)


@hookimpl
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_deepseek.parsing import R1, V3

    return (R1 if model.parser.name == "deepseek-r1" else V3).parser(conversation.tools, prompt.suffix)
