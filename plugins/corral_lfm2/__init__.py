"""LFM2 and LFM2.5 of Liquid AI: ChatML turns, and calls written as Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

CALL_FORMAT = "lfm2"

_LISTS = "List of tools: "
_FIRST = Markers(all_of=(f"{_LISTS}<|tool_list_start|>",))
_SECOND = Markers(all_of=(f"{_LISTS}[", "keep_past_thinking"), none_of=("<think>",))
_THINKING = Markers(all_of=(f"{_LISTS}[", "<think>", "<|tool_call_start|>"))
_ANSWERS = Markers(all_of=(_LISTS, "<|im_start|>"), none_of=("<think>",))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer a renderer for each generation, and parsers with and without thinking."""
    return Capabilities(
        api_version=API_VERSION,
        renderers=(
            RendererOffer(name="lfm2", summary="LFM2", call_format=CALL_FORMAT, detect=_FIRST),
            RendererOffer(name="lfm2.5", summary="LFM2.5 Instruct", call_format=CALL_FORMAT, detect=_SECOND),
            RendererOffer(name="lfm2-thinking", summary="LFM2.5 models that think", call_format=CALL_FORMAT, detect=_THINKING),
        ),
        parsers=(
            ParserOffer(name="lfm2", support=_support(), summary="LFM2 and LFM2.5", call_format=CALL_FORMAT, detect=_ANSWERS),
            ParserOffer(
                name="lfm2-thinking",
                support=_support("optional"),
                summary="LFM2.5 models that think",
                call_format=CALL_FORMAT,
                detect=_THINKING,
            ),
        ),
    )


def _support(thinking: Literal["none", "optional"] = "none") -> ParserSupport:
    return ParserSupport(tools=True, parallel_tools=True, thinking=thinking, argument_streaming=True, constrains=True)


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render in the layout that the renderer's name asks for."""
    from corral_lfm2.rendering import LAYOUTS, render

    return render(conversation, LAYOUTS[model.renderer.name], model.facts.bos_token)


@hookimpl
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_lfm2.parsing import PLAIN, THINKING

    return (THINKING if model.parser.name == "lfm2-thinking" else PLAIN).parser(conversation.tools, prompt.suffix)
