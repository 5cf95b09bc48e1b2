"""Render a conversation as Llama 3's reference templates do.

Two differences: the references drop text next to a call and refuse two calls in a turn; here both are written.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, dump_json, refuse_images, split_prefill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt, ToolCall

STOP = ("<|eot_id|>", "<|eom_id|>")

#: What the references say when they are not told the date: a renderer has no clock, and a new date costs every cached prefix.
_DATE = "26 Jul 2024"
_ROLES = frozenset({"system", "user", "assistant"})
_BEFORE_TOOLS = (
    "Given the following functions, please respond with a JSON for a function call with its proper arguments that best answers the given "
    'prompt.\n\nRespond in the format {"name": function name, "parameters": dictionary of argument name and its value}.Do not use '
    "variables.\n\n"
)


def render(conversation: Conversation, bos: str) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    refuse_images(conversation.messages, "Llama 3")
    turns, prefill = split_prefill(conversation.messages)
    prompt = PromptBuilder().control(bos)
    has_system = bool(turns) and turns[0].role == "system"
    _system(prompt, turns[0].content if has_system else "", conversation)
    turns = turns[1:] if has_system else turns
    if conversation.tools:
        asks = bool(turns) and turns[0].role == "user"
        _tools(prompt, conversation.tools, turns[0].content if asks else "")
        turns = turns[1:] if asks else turns
    for message in turns:
        _turn(prompt, message)
    _header(prompt, "assistant").begin_answer().user(prefill.content if prefill else "")
    return prompt.build(stop=STOP)


def _header(prompt: PromptBuilder, role: str) -> PromptBuilder:
    return prompt.control(f"<|start_header_id|>{role}<|end_header_id|>\n\n")


def _system(prompt: PromptBuilder, text: str, conversation: Conversation) -> None:
    date = conversation.template_arguments.get("date_string") or _DATE
    environment = "Environment: ipython\n" if conversation.tools else ""
    _header(prompt, "system").user(f"{environment}Cutting Knowledge Date: December 2023\nToday Date: {date}\n\n{text.strip()}")
    prompt.control("<|eot_id|>")


def _tools(prompt: PromptBuilder, tools: Sequence[JsonObject], question: str) -> None:
    _header(prompt, "user").user(_BEFORE_TOOLS)
    for tool in tools:
        prompt.user(json.dumps(tool, ensure_ascii=False, indent=4) + "\n\n")
    prompt.user(question.strip()).control("<|eot_id|>")


def _turn(prompt: PromptBuilder, message: Message) -> None:
    match message.role:
        case "tool" | "ipython":
            _header(prompt, "ipython").user(dump_json(message.content))
        case role if role in _ROLES:
            _header(prompt, role).user(message.content.strip())
        case role:
            prompt.control("<|start_header_id|>").user(role).control("<|end_header_id|>\n\n").user(message.content.strip())
    prompt.user("; ".join(map(_call_text, message.tool_calls))).control("<|eot_id|>")


def _call_text(call: ToolCall) -> str:
    return f'{{"name": "{call.name}", "parameters": {dump_json(call.arguments)}}}'
