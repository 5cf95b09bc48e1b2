"""Render a conversation as the reference template of Phi-3.5 does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, refuse_images, split_prefill

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt

STOP = ("<|end|>", "<|endoftext|>")

#: What the reference has no turn for, a tool's result above all, it forgets; here it is the user who says it.
_TAGS = {"system": "<|system|>\n", "assistant": "<|assistant|>\n"}


def render(conversation: Conversation) -> Prompt:
    """Return the prompt. A last assistant message is left open for the model to continue."""
    refuse_images(conversation.messages, "Phi-3")
    prompt = PromptBuilder()
    turns, prefill = split_prefill(conversation.messages)
    for message in turns:
        if message.content or message.role != "system":
            prompt.control(_TAGS.get(message.role, "<|user|>\n")).user(message.content).control("<|end|>\n")
    prompt.control("<|assistant|>\n").begin_answer().user(prefill.content if prefill else "")
    return prompt.build(stop=STOP)
