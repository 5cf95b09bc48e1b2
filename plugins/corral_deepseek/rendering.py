"""Render a conversation as DeepSeek V3.1's reference template does.

One difference: the reference leaves tools to its callers; here they are shown as the models' card says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, dump_json, function_of, refuse_images, split_prefill
from corral_deepseek.sections import EOS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt

_NO_THOUGHT = "</think>"
_SEPARATOR = "<｜tool▁sep｜>"

_HOW_TO_CALL = """
IMPORTANT: ALWAYS adhere to this exact format for tool use:
<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>tool_call_name<｜tool▁sep｜>tool_call_arguments<｜tool▁call▁end｜>{additional_tool_calls}\
<｜tool▁calls▁end｜>

Where:
- `tool_call_name` must be an exact match to one of the available tools
- `tool_call_arguments` must be valid JSON that strictly follows the tool's Parameters Schema
- For multiple tool calls, chain them directly without separators or spaces
"""


def render(conversation: Conversation, bos: str) -> Prompt:
    """Return the prompt. After a tool's result the model goes on without a new header.

    A last assistant message without calls is left open for the model to continue.
    """
    refuse_images(conversation.messages, "DeepSeek V3.1")
    turns, prefill = split_prefill(conversation.messages)
    prompt = PromptBuilder()
    prompt.control(bos).user("\n\n".join(message.content for message in turns if message.role == "system"))
    if conversation.tools:
        _tools(prompt, conversation.tools)
    before = ""
    is_answered = False
    for message in turns:
        if message.role == "assistant":
            _assistant(prompt, message, is_first=before == "user", is_answered=is_answered)
        elif message.role == "user":
            prompt.control("<｜User｜>").user(message.content)
        elif message.role == "tool":
            prompt.control("<｜tool▁output▁begin｜>").user(message.content).control("<｜tool▁output▁end｜>")
        if message.role in ("user", "assistant", "tool"):
            before, is_answered = message.role, message.role == "tool"
    prompt.control("<｜Assistant｜>" if before == "user" else "").begin_answer()
    if prefill:
        prompt.control("<think>" if prefill.thinking else "").user(prefill.thinking).control("</think>").user(prefill.content)
    elif before == "user":
        prompt.control("<think>" if conversation.think else _NO_THOUGHT)
    return prompt.build(stop=(EOS,))


def _tools(prompt: PromptBuilder, tools: Sequence[JsonObject]) -> None:
    prompt.control("\n\n## Tools\nYou have access to the following tools:\n")
    for function in map(function_of, tools):
        name, description = function.get("name", ""), function.get("description", "")
        prompt.user(f"\n### {name}\nDescription: {description}\n\nParameters: {dump_json(function.get('parameters') or {})}\n")
    prompt.control(_HOW_TO_CALL)


def _assistant(prompt: PromptBuilder, message: Message, *, is_first: bool, is_answered: bool) -> None:
    prompt.control(f"<｜Assistant｜>{_NO_THOUGHT}" if is_first else "")
    text = message.content
    if not message.tool_calls and not is_answered:
        _, tag, rest = text.partition("</think>")
        text = rest if tag else text
    prompt.user(text)
    if message.tool_calls:
        prompt.control("<｜tool▁calls▁begin｜>")
        for call in message.tool_calls:
            prompt.control("<｜tool▁call▁begin｜>").user(call.name).control(_SEPARATOR).user(dump_json(call.arguments))
            prompt.control("<｜tool▁call▁end｜>")
        prompt.control("<｜tool▁calls▁end｜>")
    prompt.control(EOS)
