"""Nemotron: Nano 3 and 3.5 write calls as Qwen3-Coder does, Nano v2 as a list of JSON objects; all of them think first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

_SECOND = "nemotron-nano-v2"
_THIRD = "nemotron-3-nano"
_LATER = "nemotron-3.5-nano"

#: The call format, the models behind each name, and what gives their chat templates away.
_CALL_FORMATS = {_SECOND: "nemotron-nano-v2", _THIRD: "qwen3-coder", _LATER: "qwen3-coder"}
_SUMMARIES = {_SECOND: "Nemotron Nano v2", _THIRD: "Nemotron 3 Nano", _LATER: "Nemotron 3.5 Nano"}
#: Two levels are one to the model: it is told to be efficient, or nothing.
_LEVELS = {_LATER: ("low", "medium", "high")}
_EFFORT = "{reasoning effort: efficient}"
_MARKERS = {
    _SECOND: Markers(all_of=("<SPECIAL_10>", "<TOOLCALL>")),
    _THIRD: Markers(all_of=("<function=example_function_name>", "truncate_history_thinking"), none_of=(_EFFORT,)),
    _LATER: Markers(all_of=("<function=example_function_name>", _EFFORT)),
}


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer renderers and parsers of Nano v2, 3 and 3.5."""
    support = ParserSupport(tools=True, parallel_tools=True, thinking="optional", argument_streaming=True, constrains=True)
    return Capabilities(
        api_version=API_VERSION,
        renderers=tuple(
            RendererOffer(name=name, summary=_SUMMARIES[name], call_format=_CALL_FORMATS[name], detect=_MARKERS[name])
            for name in (_SECOND, _THIRD, _LATER)
        ),
        parsers=tuple(
            ParserOffer(
                name=name,
                support=replace(support, thinking_levels=_LEVELS.get(name, ())),
                summary=_SUMMARIES[name],
                call_format=_CALL_FORMATS[name],
                detect=_MARKERS[name],
            )
            for name in (_SECOND, _THIRD, _LATER)
        ),
    )


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render as the reference template of the renderer's name does."""
    if model.renderer.name == _SECOND:
        from corral_nemotron.second import render_second

        return render_second(conversation)
    from corral_nemotron.third import NANO_3, NANO_35, render_third

    return render_third(conversation, NANO_35 if model.renderer.name == _LATER else NANO_3)


@hookimpl
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_nemotron.parsing import SECOND, THIRD

    return (SECOND if model.parser.name == _SECOND else THIRD).parser(conversation.tools, prompt.suffix)
