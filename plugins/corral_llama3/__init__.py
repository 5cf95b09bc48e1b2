"""Llama 3.1 to 3.3: calls are bare JSON objects, results come from ipython."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

_CALLS = "llama3"

_FAMILY = ("<|start_header_id|>", "Cutting Knowledge Date", '"parameters": ', "tools_in_user_message")
#: The template of 3.3 is that of 3.1, so a model of either is found as 3.1.
_LLAMA_31 = Markers(all_of=(*_FAMILY, "builtin_tools"))
_LLAMA_32 = Markers(all_of=(*_FAMILY, "strftime_now"), none_of=("builtin_tools",))
_DETECT = {"llama3.1": _LLAMA_31, "llama3.2": _LLAMA_32, "llama3.3": None}


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer renderer and parser of each version; they differ in nothing but their names."""
    support = ParserSupport(tools=True, parallel_tools=True, argument_streaming=True, constrains=True)
    return Capabilities(
        api_version=API_VERSION,
        renderers=tuple(
            RendererOffer(name=name, summary=name.replace("llama", "Llama "), call_format=_CALLS, detect=detect)
            for name, detect in _DETECT.items()
        ),
        parsers=tuple(
            ParserOffer(name=name, support=support, summary=name.replace("llama", "Llama "), call_format=_CALLS, detect=detect)
            for name, detect in _DETECT.items()
        ),
    )


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render as Llama 3 was shown conversations."""
    from corral_llama3.rendering import render

    return render(conversation, "" if model.facts.adds_bos else model.facts.bos_token)


@hookimpl
def parse_output(conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_llama3.parsing import FORMAT

    return FORMAT.parser(conversation.tools, prompt.suffix)
