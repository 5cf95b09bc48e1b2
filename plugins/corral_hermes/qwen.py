"""Render a conversation as the reference templates of Qwen2.5 and Qwen3 do."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from corral.formats import PromptBuilder, begins_run, dump_json, ends_run, last_query, refuse_images, split_prefill, split_thinking
from corral_hermes.turns import END, STOP, write_call, write_header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt

_BEFORE_TOOLS = (
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>"
)
_AFTER_TOOLS = (
    "\n</tools>\n\nFor each function call, return a json object with function name and arguments within "
    '<tool_call></tool_call> XML tags:\n<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
)
#: The runner puts the picture in the place of these three tokens.
_IMAGE = "<|vision_start|><|image_pad|><|vision_end|>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the templates differ in."""

    thinking: Literal["none", "optional", "always"]
    default_system: str | None = None
    sees: bool = False


LAYOUTS = MappingProxyType(
    {
        "qwen2.5": Layout(thinking="none", default_system="You are Qwen, created by Alibaba Cloud. You are a helpful assistant."),
        "qwen3": Layout(thinking="optional"),
        "qwen3-thinking": Layout(thinking="always"),
        "qwen3-vl-instruct": Layout(thinking="none", sees=True),
        "qwen3-vl-thinking": Layout(thinking="always", sees=True),
    }
)


def render_qwen(conversation: Conversation, layout: Layout) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    if not layout.sees:
        refuse_images(conversation.messages, "this Qwen")
    prompt = PromptBuilder()
    messages = conversation.messages
    is_told = bool(messages) and messages[0].role == "system"
    _system(prompt, messages[0].content if is_told else layout.default_system, conversation.tools)
    messages = messages[1:] if is_told else messages
    turns, prefill = split_prefill(messages)
    query = last_query(messages)
    for index, message in enumerate(turns):
        match message.role:
            case "tool":
                _result(prompt, message.content, is_first=begins_run(turns, index), is_last=ends_run(turns, index))
            case "assistant":
                is_late = index > query
                _assistant(prompt, message, layout, is_late=is_late, is_last=index == len(messages) - 1)
            case _:
                _asked(prompt, message)
    _answer(prompt, prefill, layout, is_quiet=conversation.think is False)
    return prompt.build(stop=STOP)


def _system(prompt: PromptBuilder, text: str | None, tools: Sequence[JsonObject]) -> None:
    if text is None and not tools:
        return
    write_header(prompt, "system")
    prompt.user(text or "").control("\n\n" if tools and text is not None else "")
    if tools:
        prompt.control(_BEFORE_TOOLS)
        for tool in tools:
            prompt.control("\n").user(dump_json(tool))
        prompt.control(_AFTER_TOOLS)
    prompt.control(END)


def _asked(prompt: PromptBuilder, message: Message) -> None:
    write_header(prompt, message.role)
    for image in message.images:
        prompt.media(_IMAGE, image)
    prompt.user(message.content).control(END)


def _result(prompt: PromptBuilder, text: str, *, is_first: bool, is_last: bool) -> None:
    prompt.control("<|im_start|>user" if is_first else "")
    prompt.control("\n<tool_response>\n").user(text).control("\n</tool_response>")
    prompt.control(END if is_last else "")


def _assistant(prompt: PromptBuilder, message: Message, layout: Layout, *, is_late: bool, is_last: bool) -> None:
    """Write an answer of before; thoughts stay only while the question they belong to is still open."""
    thinking, content = ("", message.content) if layout.thinking == "none" else split_thinking(message)
    write_header(prompt, "assistant")
    if layout.thinking != "none" and is_late and (thinking or is_last):
        _thought(prompt, thinking)
        prompt.user(content.lstrip("\n"))
    else:
        prompt.user(content)
    for number, call in enumerate(message.tool_calls):
        prompt.control("\n" if number or content else "")
        write_call(prompt, call)
    prompt.control(END)


def _thought(prompt: PromptBuilder, thinking: str) -> None:
    prompt.control("<think>\n").user(thinking.strip("\n")).control("\n</think>\n\n")


def _answer(prompt: PromptBuilder, prefill: Message | None, layout: Layout, *, is_quiet: bool) -> None:
    write_header(prompt, "assistant")
    prompt.begin_answer()
    thinking, content = split_thinking(prefill) if prefill else ("", "")
    if layout.thinking == "none":
        prompt.user(prefill.content if prefill else "")
    elif content:
        _thought(prompt, thinking)
        prompt.user(content.lstrip("\n"))
    elif thinking:
        prompt.control("<think>\n").user(thinking.lstrip("\n"))
    elif layout.thinking == "always":
        prompt.control("<think>\n")
    elif is_quiet:
        _thought(prompt, "")
