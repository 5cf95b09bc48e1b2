"""GLM-4.5 to 4.7: a call's keys and values stand between tags of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

_CALLS = "glm"

_GLM_46 = Markers(all_of=("[gMASK]<sop>", "<|observation|>", "<arg_key>", "/nothink"))
_GLM_47 = Markers(all_of=("[gMASK]<sop>", "<|observation|>", "<arg_key>"), none_of=("/nothink",))


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer renderer and parser of GLM-4.6 (4.5 is the same) and of GLM-4.7."""
    support = ParserSupport(tools=True, parallel_tools=True, thinking="optional", argument_streaming=True, constrains=True)
    return Capabilities(
        api_version=API_VERSION,
        renderers=(
            RendererOffer(name="glm-4.6", summary="GLM-4.5 and 4.6", call_format=_CALLS, detect=_GLM_46),
            RendererOffer(name="glm-4.7", summary="GLM-4.7", call_format=_CALLS, detect=_GLM_47),
        ),
        parsers=(
            ParserOffer(name="glm-4.6", support=support, summary="GLM-4.5 and 4.6", call_format=_CALLS, detect=_GLM_46),
            ParserOffer(name="glm-4.7", support=support, summary="GLM-4.7", call_format=_CALLS, detect=_GLM_47),
        ),
    )


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render in the layout that the renderer's name asks for."""
    from corral_glm.rendering import GLM_46, GLM_47, render

    return render(conversation, GLM_46 if model.renderer.name == "glm-4.6" else GLM_47)


@hookimpl
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_glm.parsing import GLM_46, GLM_47

    return (GLM_46 if model.parser.name == "glm-4.6" else GLM_47).parser(conversation.tools, prompt.suffix)
