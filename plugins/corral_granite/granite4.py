"""Render a conversation as Granite 4's reference templates do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, begins_run, dump_json, ends_run, refuse_images, split_prefill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt

_END = "<|end_of_text|>"
STOP = (_END,)

DEFAULT_40 = "You are a helpful assistant. Please ensure responses are professional, accurate, and safe."
_BEFORE_TOOLS = """\
You are a helpful assistant with access to the following tools. You may call one or more tools to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>"""
_AFTER_TOOLS = """
</tools>

For each tool call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call>. If a tool does not exist in the provided list of tools, notify the user that you do not have the ability to fulfill the \
request."""


def render(conversation: Conversation, default: str) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    refuse_images(conversation.messages, "Granite 4")
    turns, prefill = split_prefill(conversation.messages)
    has_system = bool(turns) and turns[0].role == "system"
    prompt = PromptBuilder()
    _system(prompt, turns[0].content if has_system else None, conversation.tools, default)
    for index, message in enumerate(turns):
        match message.role:
            case "user" | "system" if index or not has_system:
                _header(prompt, message.role).user(message.content).control(f"{_END}\n")
            case "assistant":
                _assistant(prompt, message)
            case "tool":
                prompt.control("<|start_of_role|>user<|end_of_role|>" if begins_run(turns, index) else "")
                prompt.control("\n<tool_response>\n").user(message.content).control("\n</tool_response>")
                prompt.control(f"{_END}\n" if ends_run(turns, index) else "")
    _header(prompt, "assistant").begin_answer().user(prefill.content if prefill else "")
    return prompt.build(stop=STOP)


def _header(prompt: PromptBuilder, role: str) -> PromptBuilder:
    return prompt.control(f"<|start_of_role|>{role}<|end_of_role|>")


def _system(prompt: PromptBuilder, text: str | None, tools: Sequence[JsonObject], default: str) -> None:
    if not (text or tools or default):
        return
    _header(prompt, "system").user(text or "")
    if tools:
        prompt.control("" if text is None else "\n\n").control(_BEFORE_TOOLS)
        for tool in tools:
            prompt.user(f"\n{dump_json(tool)}")
        prompt.control(_AFTER_TOOLS)
    prompt.control("" if text or tools else default).control(f"{_END}\n")


def _assistant(prompt: PromptBuilder, message: Message) -> None:
    _header(prompt, "assistant").user(message.content)
    for index, call in enumerate(message.tool_calls):
        prompt.control("\n" if message.content or index else "")
        prompt.control("<tool_call>\n").user(f'{{"name": "{call.name}", "arguments": {dump_json(call.arguments)}}}')
        prompt.control("\n</tool_call>")
    prompt.control(f"{_END}\n")
