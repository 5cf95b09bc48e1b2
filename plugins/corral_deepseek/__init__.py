"""DeepSeek V3.1 and R1, and Cogito v2: calls in a section of special tokens, JSON arguments behind a separator."""

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
_R1 = Markers(all_of=("<｜tool▁sep｜>", "```json"), none_of=("Deep Cogito",))
#: The distillates' own template. V3's opens no thinking, and llama.cpp's for R1, with a variable of that name, ends users' turns.
_R1_RENDERS = Markers(all_of=(*_R1.all_of, "<｜Assistant｜><think>"), none_of=(*_R1.none_of, "is_tool_outputs"))
_COGITO = Markers(all_of=("<｜tool▁sep｜>", "Deep Cogito"))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderers and parsers of V3.1, R1 and Cogito."""
    support = ParserSupport(tools=True, parallel_tools=True, thinking="optional", argument_streaming=True, constrains=True)
    return Capabilities(
        api_version=API_VERSION,
        renderers=(
            RendererOffer(name="deepseek3.1", summary="DeepSeek V3.1", call_format=_V3_CALLS, detect=_V3_RENDERS),
            RendererOffer(name="deepseek-r1", summary="DeepSeek R1 and its distillates", call_format=_R1_CALLS, detect=_R1_RENDERS),
            RendererOffer(name="cogito", summary="Cogito v2", call_format=_R1_CALLS, detect=_COGITO),
        ),
        parsers=(
            ParserOffer(name="deepseek3", support=support, summary="DeepSeek V3.1", call_format=_V3_CALLS, detect=_V3),
            ParserOffer(name="deepseek3.1", support=support, summary="DeepSeek V3.1", call_format=_V3_CALLS),
            ParserOffer(
                name="deepseek-r1", support=support, summary="DeepSeek V3, R1 and its distillates", call_format=_R1_CALLS, detect=_R1
            ),
            ParserOffer(name="cogito", support=support, summary="Cogito v2", call_format=_R1_CALLS, detect=_COGITO),
        ),
    )


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render as the models were shown conversations that the renderer is named for."""
    from corral_deepseek import cogito, reasoner, rendering

    render = {"deepseek-r1": reasoner.render, "cogito": cogito.render}.get(model.renderer.name, rendering.render)
    return render(conversation, "" if model.facts.adds_bos else model.facts.bos_token)


@hookimpl
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_deepseek.parsing import R1, V3

    return (V3 if model.parser.name in ("deepseek3", "deepseek3.1") else R1).parser(conversation.tools, prompt.suffix)
