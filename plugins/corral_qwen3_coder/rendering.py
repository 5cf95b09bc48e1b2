"""Render a conversation as Qwen3-Coder's reference template does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, begins_run, ends_run, refuse_images, split_prefill, xml_call_text, xml_tool_text
from corral_qwen3_coder.wording import DEFAULT_SYSTEM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt
    from corral_qwen3_coder.wording import Wording

STOP = ("<|im_end|>", "<|endoftext|>")

#: Roles that are part of the format; any other role is a word of the client's.
_ROLES = frozenset({"system", "user", "assistant"})


def render(conversation: Conversation, wording: Wording) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    refuse_images(conversation.messages, "Qwen3-Coder")
    prompt = PromptBuilder()
    messages: Sequence[Message] = conversation.messages
    if messages and messages[0].role == "system":
        _system(prompt, messages[0].content, conversation.tools, wording)
        messages = messages[1:]
    elif conversation.tools:
        _system(prompt, DEFAULT_SYSTEM, conversation.tools, wording)
    turns, prefill = split_prefill(messages)
    _turns(prompt, turns)
    prompt.control("<|im_start|>assistant\n").begin_answer()
    return prompt.user(prefill.content if prefill else "").build(stop=STOP)


def _system(prompt: PromptBuilder, text: str, tools: Sequence[JsonObject], wording: Wording) -> None:
    prompt.control("<|im_start|>system\n").user(text)
    if tools:
        prompt.control(f"{wording.before_tools}<tools>")
        for tool in tools:
            prompt.user(xml_tool_text(tool))
        prompt.control(f"\n</tools>{wording.after_tools}")
    prompt.control("<|im_end|>\n")


def _turns(prompt: PromptBuilder, messages: Sequence[Message]) -> None:
    for index, message in enumerate(messages):
        match message.role:
            case "tool":
                _tool_response(prompt, message.content, is_first=begins_run(messages, index), is_last=ends_run(messages, index))
            case "assistant" if message.tool_calls:
                _calls(prompt, message)
            case _:
                _turn(prompt, message)


def _turn(prompt: PromptBuilder, message: Message) -> None:
    prompt.control("<|im_start|>")
    (prompt.control if message.role in _ROLES else prompt.user)(message.role)
    prompt.control("\n").user(message.content).control("<|im_end|>\n")


def _tool_response(prompt: PromptBuilder, text: str, *, is_first: bool, is_last: bool) -> None:
    prompt.control("<|im_start|>user\n" if is_first else "")
    prompt.control("<tool_response>\n").user(text).control("\n</tool_response>\n")
    prompt.control("<|im_end|>\n" if is_last else "")


def _calls(prompt: PromptBuilder, message: Message) -> None:
    prompt.control("<|im_start|>assistant")
    text = message.content.strip()
    if text:
        prompt.control("\n").user(text).control("\n")
    for call in message.tool_calls:
        prompt.control("\n<tool_call>\n").user(xml_call_text(call)).control("\n</tool_call>")
    prompt.control("<|im_end|>\n")
