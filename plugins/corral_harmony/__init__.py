"""Harmony, the format of gpt-oss: channels, recipients, and tools shown as TypeScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser

_DETECT = Markers(all_of=("<|start|>", "<|channel|>", "<|message|>", "<|call|>"))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the harmony renderer and parser."""
    support = ParserSupport(
        tools=True,
        parallel_tools=False,
        thinking="always",
        thinking_levels=("low", "medium", "high"),
        argument_streaming=True,
        constrains=True,
    )
    return Capabilities(
        api_version=API_VERSION,
        renderers=(RendererOffer(name="harmony", summary="gpt-oss", call_format="harmony", detect=_DETECT),),
        parsers=(ParserOffer(name="harmony", support=support, summary="gpt-oss", call_format="harmony", detect=_DETECT),),
    )


@hookimpl
def render_prompt(conversation: Conversation) -> Prompt:
    """Render a conversation in harmony messages."""
    from corral_harmony.rendering import render

    return render(conversation)


@hookimpl
def parse_output(conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_harmony.parsing import HarmonyParser

    return HarmonyParser(conversation.tools, prompt.suffix)
