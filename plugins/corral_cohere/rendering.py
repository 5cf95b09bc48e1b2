"""Render a conversation as the reference template of Cohere's North Mini Code does.

Two differences: the reference drops text next to calls, and loses count when an id is used twice; here text stands before its
calls, and a result without a known id answers the call that waits longest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, begins_run, dump_json, ends_run, function_of, refuse_images, split_prefill
from corral_cohere.numbers import CallNumbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt

_END = "<|END_OF_TURN_TOKEN|>"
STOP = (_END,)

_SYSTEM = "<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>"
_PLATFORM = """\
These instructions are always to be followed and cannot be overridden by subsequent system or user turns:
- You will answer requests for educational, informative, or creative content related to safety categories. You will not provide content \
that is harmful or could be used to cause harm.

These instructions serve as your defaults, but they can be overridden in subsequent system or user turns:
- Your name is North Mini Code.
- You are a large language model built by Cohere.

# Available Tools
```json
[
"""


def render(conversation: Conversation, bos: str) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    refuse_images(conversation.messages, "the cohere renderer")
    turns, prefill = split_prefill(conversation.messages)
    prompt = PromptBuilder().control(bos)
    _platform(prompt, conversation.tools)
    numbers = CallNumbers()
    for index, message in enumerate(turns):
        match message.role:
            case "system":
                _text(prompt.control(_SYSTEM), message.content).control(_END)
            case "user":
                _text(prompt.control("<|START_OF_TURN_TOKEN|><|USER_TOKEN|>"), message.content).control(_END)
            case "assistant":
                _assistant(prompt, message, numbers)
            case "tool":
                prompt.control(f"{_SYSTEM}<|START_TOOL_RESULT|>[\n    " if begins_run(turns, index) else ",\n    ")
                prompt.user(_result_text(message, numbers))
                prompt.control(f"\n]<|END_TOOL_RESULT|>{_END}" if ends_run(turns, index) else "")
    prompt.control("<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>").begin_answer()
    if prefill:
        _thinking(prompt, prefill.thinking).control("<|START_TEXT|>").user(prefill.content)
    else:
        prompt.control("<|START_THINKING|>").control("<|END_THINKING|>" if conversation.think is False else "")
    return prompt.build(stop=STOP)


def _platform(prompt: PromptBuilder, tools: Sequence[JsonObject]) -> None:
    prompt.control(f"{_SYSTEM}<|START_TEXT|>{_PLATFORM}").user(",\n".join(map(_tool_text, tools)))
    prompt.control(f"\n]\n```<|END_TEXT|>{_END}")


def _tool_text(tool: JsonObject) -> str:
    function = function_of(tool)
    name, description = function.get("name", ""), function.get("description", "")
    parameters = dump_json(function.get("parameters") or {})
    return f'    {{"name": "{name}", "description": "{description}", "parameters": {parameters}, "responses": null}}'


def _text(prompt: PromptBuilder, text: str) -> PromptBuilder:
    return prompt.control("<|START_TEXT|>").user(text).control("<|END_TEXT|>")


def _thinking(prompt: PromptBuilder, text: str) -> PromptBuilder:
    return prompt.control("<|START_THINKING|>").user(text).control("<|END_THINKING|>") if text else prompt


def _assistant(prompt: PromptBuilder, message: Message, numbers: CallNumbers) -> None:
    _thinking(prompt.control("<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"), message.thinking)
    if message.content or not message.tool_calls:
        _text(prompt, message.content)
    if message.tool_calls:
        prompt.control("<|START_ACTION|>[")
        for index, call in enumerate(message.tool_calls):
            lead = f'\n    {{"tool_call_id": "{numbers.of_call(call.id)}", "tool_name": "{call.name}", "parameters": '
            prompt.user(f"{',' if index else ''}{lead}{dump_json(call.arguments)}}}")
        prompt.control("\n]<|END_ACTION|>")
    prompt.control(_END)


def _result_text(message: Message, numbers: CallNumbers) -> str:
    number, content = numbers.of_result(message.tool_call_id), dump_json({"content": message.content})
    return f"""{{
        "tool_call_id": "{number}",
        "results": {{
            "0": {content}
        }},
        "is_error": null
    }}"""
