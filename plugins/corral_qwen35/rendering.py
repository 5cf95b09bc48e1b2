"""Render a conversation as Qwen3.5's reference template does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, begins_run, dump_json, ends_run, last_query, split_prefill, split_thinking, template_text
from corral_qwen35.wording import AFTER_TOOLS, BEFORE_TOOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt, ToolCall

STOP = ("<|im_end|>", "<|endoftext|>")
END = "<|im_end|>\n"

#: The runner puts the picture in the place of these three tokens.
_IMAGE = "<|vision_start|><|image_pad|><|vision_end|>"
#: Roles that are part of the format; any other role is a word of the client's.
_ROLES = frozenset({"system", "user"})


def render(conversation: Conversation) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    prompt = PromptBuilder()
    messages = conversation.messages
    is_told = bool(messages) and messages[0].role == "system"
    _system(prompt, messages[0].content.strip() if is_told else None, conversation.tools)
    turns, prefill = split_prefill(messages)
    query = last_query(messages)
    for index, message in enumerate(turns):
        match message.role:
            case "system" if index == 0:
                continue
            case "tool":
                begins = index > 0 and begins_run(turns, index)
                _result(prompt, message.content.strip(), begins=begins, ends=ends_run(turns, index))
            case "assistant":
                _assistant(prompt, message, is_late=index > query)
            case _:
                _asked(prompt, message)
    _answer(prompt, prefill, is_quiet=conversation.think is False)
    return prompt.build(stop=STOP)


def _system(prompt: PromptBuilder, text: str | None, tools: Sequence[JsonObject]) -> None:
    if text is None and not tools:
        return
    prompt.control("<|im_start|>system\n")
    if tools:
        prompt.control(BEFORE_TOOLS)
        for tool in tools:
            prompt.control("\n").user(dump_json(tool))
        prompt.control(AFTER_TOOLS).control("\n\n" if text else "")
    prompt.user(text or "").control(END)


def _asked(prompt: PromptBuilder, message: Message) -> None:
    prompt.control("<|im_start|>")
    (prompt.control if message.role in _ROLES else prompt.user)(message.role)
    prompt.control("\n")
    for image in message.images:
        prompt.media(_IMAGE, image)
    text = message.content.rstrip() if message.images else message.content.strip()
    prompt.user(text).control(END)


def _result(prompt: PromptBuilder, text: str, *, begins: bool, ends: bool) -> None:
    prompt.control("<|im_start|>user" if begins else "")
    prompt.control("\n<tool_response>\n").user(text).control("\n</tool_response>")
    prompt.control(END if ends else "")


def _assistant(prompt: PromptBuilder, message: Message, *, is_late: bool) -> None:
    """Write an answer of before; its thoughts stay only while the question they belong to is still open."""
    thinking, content = _said(message)
    prompt.control("<|im_start|>assistant\n")
    if is_late:
        _thought(prompt, thinking)
    prompt.user(content)
    for number, call in enumerate(message.tool_calls):
        first = "\n\n" if content.strip() else ""
        prompt.control("\n" if number else first)
        _call(prompt, call)
    prompt.control(END)


def _said(message: Message) -> tuple[str, str]:
    thinking, content = split_thinking(replace(message, content=message.content.strip()))
    return thinking.strip(), content


def _thought(prompt: PromptBuilder, thinking: str) -> None:
    prompt.control("<think>\n").user(thinking).control("\n</think>\n\n")


def _call(prompt: PromptBuilder, call: ToolCall) -> None:
    parameters = "".join(f"<parameter={key}>\n{template_text(value)}\n</parameter>\n" for key, value in call.arguments.items())
    prompt.control("<tool_call>\n").user(f"<function={call.name}>\n{parameters}</function>").control("\n</tool_call>")


def _answer(prompt: PromptBuilder, prefill: Message | None, *, is_quiet: bool) -> None:
    prompt.control("<|im_start|>assistant\n").begin_answer()
    thinking, content = _said(prefill) if prefill else ("", "")
    if content or (is_quiet and not thinking):
        _thought(prompt, thinking)
        prompt.user(content)
    else:
        prompt.control("<think>\n").user(thinking)
