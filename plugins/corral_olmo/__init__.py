"""Olmo 3: parsers for its calls, which are Python between tags, and for its thoughts; its own chat template renders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

_OLMO = ("<|im_start|>", "Olmo", "allenai")
_CALLS = "<function_calls>"


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer the parsers of Olmo 3 Instruct and Olmo 3 Think."""
    calls = ParserSupport(tools=True, parallel_tools=True, argument_streaming=True, constrains=True)
    thoughts = ParserSupport(thinking="always", constrains=True)
    return Capabilities(
        api_version=API_VERSION,
        parsers=(
            ParserOffer(
                name="olmo3",
                support=calls,
                summary="Olmo 3 Instruct",
                call_format="olmo3",
                detect=Markers(all_of=(*_OLMO, _CALLS), none_of=("<think>",)),
            ),
            ParserOffer(
                name="olmo3-think",
                support=thoughts,
                summary="Olmo 3 Think",
                call_format="olmo3",
                detect=Markers(all_of=(*_OLMO, "<think>")),
            ),
        ),
    )


@hookimpl
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_olmo.parsing import CALLS, THOUGHTS

    return (THOUGHTS if model.parser.name == "olmo3-think" else CALLS).parser(conversation.tools, prompt.suffix)
