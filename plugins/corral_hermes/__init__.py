"""Qwen2.5, Qwen3, Qwen3-VL and Hermes: ChatML turns, and calls that are JSON objects between tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from corral.markers import API_VERSION, hookimpl
from corral.spec import Capabilities, Markers, ParserOffer, ParserSupport, RendererOffer

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt
    from corral.events import OutputParser
    from corral.spec import ModelSpec

CALL_FORMAT = "hermes"

_QWEN = ("<|im_start|>", "<args-json-object>")
_ALWAYS_THINKS = r"'<|im_start|>assistant\n<think>\n'"

#: Names, the models behind them, and what gives their chat templates away.
_FAMILIES = (
    ("hermes", "Hermes 2 Pro and Hermes 3", Markers(all_of=("You are a function calling AI model", "<args-dict>"))),
    ("qwen2.5", "Qwen2.5", Markers(all_of=(*_QWEN, "created by Alibaba Cloud"), none_of=("<think>", "<|vision_start|>"))),
    ("qwen3", "Qwen3, thinking or not", Markers(all_of=(*_QWEN, "last_query_index", "enable_thinking"), none_of=("<|vision_start|>",))),
    (
        "qwen3-thinking",
        "Qwen3 models that always think",
        Markers(all_of=(*_QWEN, "last_query_index", _ALWAYS_THINKS), none_of=("<|vision_start|>", "enable_thinking")),
    ),
    ("qwen3-vl-instruct", "Qwen3-VL Instruct", Markers(all_of=(*_QWEN, "<|vision_start|>", "video_count"), none_of=("<think>",))),
    (
        "qwen3-vl-thinking",
        "Qwen3-VL Thinking",
        Markers(all_of=(*_QWEN, "<|vision_start|>", "video_count", _ALWAYS_THINKS), none_of=("enable_thinking",)),
    ),
)


@hookimpl
def declare_capabilities() -> Capabilities:
    """Offer a renderer and a parser for each family."""
    return Capabilities(
        api_version=API_VERSION,
        renderers=tuple(
            RendererOffer(name=name, summary=summary, call_format=CALL_FORMAT, detect=detect, vision="-vl-" in name)
            for name, summary, detect in _FAMILIES
        ),
        parsers=tuple(
            ParserOffer(name=name, support=_support(name), summary=summary, call_format=CALL_FORMAT, detect=detect)
            for name, summary, detect in _FAMILIES
        ),
    )


def _support(name: str) -> ParserSupport:
    return ParserSupport(tools=True, parallel_tools=True, thinking=_thinking(name), argument_streaming=True, constrains=True)


def _thinking(name: str) -> Literal["none", "optional", "always"]:
    if name.endswith("-thinking"):
        return "always"
    return "optional" if name == "qwen3" else "none"


@hookimpl
def render_prompt(model: ModelSpec, conversation: Conversation) -> Prompt:
    """Render in the layout that the renderer's name asks for."""
    if model.renderer.name == "hermes":
        from corral_hermes.hermes import render_hermes

        return render_hermes(conversation, model.facts.bos_token)
    from corral_hermes.qwen import LAYOUTS, render_qwen

    return render_qwen(conversation, LAYOUTS[model.renderer.name])


@hookimpl
def parse_output(model: ModelSpec, conversation: Conversation, prompt: Prompt) -> OutputParser:
    """Return a parser that begins where the prompt ends."""
    from corral_hermes.parsing import PLAIN, THINKING

    form = PLAIN if _thinking(model.parser.name) == "none" else THINKING
    return form.parser(conversation.tools, prompt.suffix)
