"""Render a conversation as the template of Cogito v2 does, which thinks when its system message says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, refuse_images, split_prefill
from corral_deepseek.sections import EOS, write_beginning, write_calls, write_result

if TYPE_CHECKING:
    from corral.conversation import Conversation, Prompt

_IDENTITY = "You are Cogito, an AI assistant created by Deep Cogito, which is an AI research lab based in San Francisco."
_THINK = "Enable deep thinking subroutine.\n\n"


def render(conversation: Conversation, bos: str) -> Prompt:
    """Return the prompt. Thinking of earlier turns is left out.

    A last assistant message without calls is left open for the model to continue.
    """
    refuse_images(conversation.messages, "Cogito")
    messages, beginning = split_prefill(conversation.messages)
    prompt = PromptBuilder().control(bos)
    _system(prompt, conversation)
    turns = [message for message in messages if message.role in ("user", "assistant", "tool")]
    for index, message in enumerate(turns):
        if message.role == "user":
            prompt.control("<｜User｜>").user(message.content).control("<｜Assistant｜>")
        elif message.role == "assistant":
            prompt.user(message.content.strip() if message.tool_calls else message.content)
            write_calls(prompt, message.tool_calls)
            prompt.control(EOS)
        else:
            write_result(prompt, turns, index)
    prompt.control("" if turns and turns[-1].role == "user" else "<｜Assistant｜>").begin_answer()
    if beginning:
        write_beginning(prompt, beginning)
    else:
        prompt.control("<think>\n" if conversation.think else "")
    return prompt.build(stop=(EOS,))


def _system(prompt: PromptBuilder, conversation: Conversation) -> None:
    prompt.control(_THINK if conversation.think else "").control(_IDENTITY)
    instructions = "\n\n".join(message.content for message in conversation.messages if message.role == "system")
    if instructions:
        prompt.control("\n\n").user(instructions).control("\n\n" if conversation.think else "")
    if conversation.tools:
        prompt.control("\nYou have the following functions available:\n")
    for tool in conversation.tools:
        prompt.control("```json\n").user(json.dumps(tool, ensure_ascii=False, indent=4)).control("\n```\n")
