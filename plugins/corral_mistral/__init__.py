"""Mistral's models: Ministral, Devstral, Small and Nemo, which write calls after one tag in two generations of syntax."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

_NAMED = "mistral"
_LIST = "mistral-list"


def _also(family: Markers, *markers: str) -> Markers:
    """Return markers that ask for more."""
    return replace(family, all_of=(*family.all_of, *markers))


_MINISTRAL = Markers(all_of=("[TOOL_CALLS]", "[ARGS]", "[THINK]"))
_DEVSTRAL = Markers(all_of=("[TOOL_CALLS]", "[ARGS]"), none_of=("[THINK]", "[CALL_ID]"))
_SMALL = Markers(all_of=("[TOOL_CALLS]", "[ARGS]", "[CALL_ID]"), none_of=("[THINK]",))
_NEMO = Markers(all_of=("[TOOL_CALLS][", "[AVAILABLE_TOOLS]["), none_of=("[ARGS]",))

#: Sisters of these models (Magistral, earlier versions) have other instructions or places for tools: a renderer asks for more.
_MINISTRAL_RENDERS = _also(_MINISTRAL, "# HOW YOU SHOULD THINK AND ANSWER", "tools_definition")
_DEVSTRAL_RENDERS = _also(_DEVSTRAL, "You are Devstral", "<TROUBLESHOOTING>", "tools_description")
_SMALL_RENDERS = _also(_SMALL, "You are Mistral Small 3,", "[TOOL_CONTENT]", "user_messages[-1]")
_NEMO_RENDERS = _also(_NEMO, '"[INST]" + system_message', "user_messages[-1]")


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer a renderer and a parser for each generation."""
    support = ParserSupport(tools=True, parallel_tools=True, argument_streaming=True, constrains=True)
    thinks = replace(support, thinking="optional")
    return Capabilities(
        api_version=API_VERSION,
        renderers=(
            RendererOffer(name="ministral", summary="Ministral 3 Reasoning", call_format=_NAMED, detect=_MINISTRAL_RENDERS, vision=True),
            RendererOffer(name="devstral", summary="Devstral Small 1.1", call_format=_NAMED, detect=_DEVSTRAL_RENDERS, vision=True),
            RendererOffer(name="mistral-small", summary="Mistral Small 3.2", call_format=_NAMED, detect=_SMALL_RENDERS, vision=True),
            RendererOffer(name="mistral-nemo", summary="Mistral Nemo", call_format=_LIST, detect=_NEMO_RENDERS),
        ),
        parsers=(
            ParserOffer(name="ministral", support=thinks, summary="Ministral 3, Magistral", call_format=_NAMED, detect=_MINISTRAL),
            ParserOffer(name="devstral", support=support, summary="Devstral", call_format=_NAMED, detect=_DEVSTRAL),
            ParserOffer(name="mistral-small", support=support, summary="Mistral Small 3.2", call_format=_NAMED, detect=_SMALL),
            ParserOffer(name="mistral-nemo", support=support, summary="Mistral Nemo, 7B, Small 2 and 3", call_format=_LIST, detect=_NEMO),
        ),
    )


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render as the models of the renderer's name were shown conversations."""
    from corral_mistral import nemo, rendering

    bos = "" if model.facts.adds_bos else model.facts.bos_token
    if model.renderer.name == "mistral-nemo":
        return nemo.render(conversation, bos)
    return rendering.render(conversation, model.renderer.name, bos)


@hookimpl
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_mistral.parsing import FORMATS

    return FORMATS[model.parser.name].parser(conversation.tools, prompt.suffix)
