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

_MINISTRAL = Markers(all_of=("[TOOL_CALLS]", "[ARGS]", "[THINK]"))
#: Magistral's template thinks too, and has other instructions; it is left to the chat-template renderer.
_MINISTRAL_RENDERS = Markers(all_of=(*_MINISTRAL.all_of, "# HOW YOU SHOULD THINK AND ANSWER", "tools_definition"))
_DEVSTRAL = Markers(all_of=("[TOOL_CALLS]", "[ARGS]"), none_of=("[THINK]", "[CALL_ID]"))
_SMALL = Markers(all_of=("[TOOL_CALLS]", "[ARGS]", "[CALL_ID]"), none_of=("[THINK]",))
_NEMO = Markers(all_of=("[TOOL_CALLS][", "[AVAILABLE_TOOLS]["), none_of=("[ARGS]",))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderer of Ministral, and a parser for each generation.

    The other references show tools with the last question only, which rewrites every prompt's beginning, or carry pages of
    default instructions: they are left to the chat-template renderer.
    """
    support = ParserSupport(tools=True, parallel_tools=True, argument_streaming=True, constrains=True)
    thinks = replace(support, thinking="optional")
    return Capabilities(
        api_version=API_VERSION,
        renderers=(
            RendererOffer(name="ministral", summary="Ministral 3 Reasoning", call_format=_NAMED, detect=_MINISTRAL_RENDERS, vision=True),
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
    """Render as Ministral was shown conversations."""
    from corral_mistral.rendering import render

    return render(conversation, "" if model.facts.adds_bos else model.facts.bos_token)


@hookimpl
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_mistral.parsing import FORMATS

    return FORMATS[model.parser.name].parser(conversation.tools, prompt.suffix)
