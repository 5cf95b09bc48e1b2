"""Render a conversation as SmolLM3's reference template does; the reference forgets tools and calls, which we write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, dump_json, refuse_images, split_prefill
from corral_smollm3.wording import AFTER_TOOLS, BEFORE_TOOLS, BRIEF_SELF, METADATA, THOUGHTFUL_SELF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt

STOP = ("<|im_end|>", "<|endoftext|>")
END = "<|im_end|>\n"

_NO_THOUGHT = "<think>\n\n</think>\n"
#: Roles that are part of the format; any other role is a word of the client's.
_ROLES = frozenset({"system", "user"})


def render(conversation: Conversation) -> Prompt:
    """Return the prompt. A system message switches thinking in words, `/think` and `/no_think`, and comes before the request's wish."""
    refuse_images(conversation.messages, "SmolLM3")
    prompt = PromptBuilder()
    messages = conversation.messages
    is_told = bool(messages) and messages[0].role == "system"
    told = messages[0].content if is_told else ""
    thinks = _thinks(told, by_itself=conversation.think is not False)
    _system(prompt, told.replace("/no_think", "").replace("/think", "").rstrip(), conversation.tools, thinks=thinks)
    turns, prefill = split_prefill(messages[1:] if is_told else messages)
    for message in turns:
        if message.role == "assistant":
            _assistant(prompt, message, thinks=thinks)
        else:
            role = "user" if message.role == "tool" else message.role
            prompt.control("<|im_start|>")
            (prompt.control if role in _ROLES else prompt.user)(role).control("\n").user(message.content).control(END)
    _answer(prompt, prefill, thinks=thinks)
    return prompt.build(stop=STOP)


def _thinks(told: str, *, by_itself: bool) -> bool:
    if "/no_think" in told:
        return False
    return by_itself or "/think" in told


def _system(prompt: PromptBuilder, told: str, tools: Sequence[JsonObject], *, thinks: bool) -> None:
    prompt.control(f"<|im_start|>system\n{METADATA}Reasoning Mode: {'/think' if thinks else '/no_think'}\n\n## Custom Instructions\n\n")
    prompt.user(told or (THOUGHTFUL_SELF if thinks else BRIEF_SELF)).control("\n\n")
    if tools:
        prompt.control(BEFORE_TOOLS)
        for tool in tools:
            prompt.user(dump_json(tool)).control("\n")
        prompt.control(AFTER_TOOLS)
    prompt.control(END)


def _assistant(prompt: PromptBuilder, message: Message, *, thinks: bool) -> None:
    prompt.control("<|im_start|>assistant\n").control("" if thinks else _NO_THOUGHT)
    prompt.user(message.content.lstrip("\n"))
    for index, call in enumerate(message.tool_calls):
        prompt.control("\n" if index or message.content else "").control('<tool_call>\n{"name": "').user(call.name)
        prompt.control('", "arguments": ').user(dump_json(call.arguments)).control("}\n</tool_call>")
    prompt.control(END)


def _answer(prompt: PromptBuilder, prefill: Message | None, *, thinks: bool) -> None:
    prompt.control("<|im_start|>assistant\n").begin_answer()
    if prefill and prefill.thinking:
        prompt.control("<think>\n").user(prefill.thinking).control("\n</think>\n" if prefill.content else "")
    elif not thinks:
        prompt.control(_NO_THOUGHT)
    prompt.user(prefill.content.lstrip("\n") if prefill else "")
