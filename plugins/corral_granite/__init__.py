"""Granite 3.3 and 4: calls as a list after a special token, or as JSON objects between tags."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

_CALLS_33 = "granite3.3"
_CALLS_4 = "granite4"

_GRANITE_33 = Markers(all_of=("<|start_of_role|>", "<|tool_call|>"))
#: Versions 3.0 to 3.2 were taught other instructions.
_GRANITE_33_RENDERS = replace(_GRANITE_33, all_of=(*_GRANITE_33.all_of, "Knowledge Cutoff Date: April 2024.", "<response></response>"))
_GRANITE_4 = Markers(all_of=("<|start_of_role|>", "<tool_call>"), none_of=("<|tool_call|>",))
_SHAPE = (*_GRANITE_4.all_of, "tools_system_message_prefix")
_GRANITE_40 = Markers(all_of=(*_SHAPE, "g4_default_system_message"), none_of=_GRANITE_4.none_of)
_GRANITE_41 = Markers(all_of=_SHAPE, none_of=(*_GRANITE_4.none_of, "g4_default_system_message"))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the renderers of Granite 3.3, 4.0 and 4.1, and the parsers of 3.3 and 4."""
    support = ParserSupport(tools=True, parallel_tools=True, argument_streaming=True, constrains=True)
    thinks = replace(support, thinking="optional")
    return Capabilities(
        api_version=API_VERSION,
        renderers=(
            RendererOffer(name="granite3.3", summary="Granite 3.3", call_format=_CALLS_33, detect=_GRANITE_33_RENDERS),
            RendererOffer(name="granite4", summary="Granite 4.0", call_format=_CALLS_4, detect=_GRANITE_40),
            RendererOffer(name="granite4.1", summary="Granite 4.1", call_format=_CALLS_4, detect=_GRANITE_41),
        ),
        parsers=(
            ParserOffer(name="granite3.3", support=thinks, summary="Granite 3.3", call_format=_CALLS_33, detect=_GRANITE_33),
            ParserOffer(name="granite4", support=support, summary="Granite 4", call_format=_CALLS_4, detect=_GRANITE_4),
        ),
    )


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render as the version of the renderer's name was shown conversations."""
    from corral_granite import granite4, granite33

    match model.renderer.name:
        case "granite3.3":
            return granite33.render(conversation)
        case "granite4":
            return granite4.render(conversation, granite4.DEFAULT_40)
        case _:
            return granite4.render(conversation, "")


@hookimpl
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_granite.parsing import GRANITE_4, GRANITE_33

    return (GRANITE_33 if model.parser.name == "granite3.3" else GRANITE_4).parser(conversation.tools, prompt.suffix)
