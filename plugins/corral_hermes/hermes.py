"""Render a conversation as the tool template of Hermes 2 Pro and Hermes 3 does, and as plain ChatML when there are no tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, ends_run, refuse_images, split_prefill
from corral_hermes.signatures import signature_text
from corral_hermes.turns import END, STOP, write_call, write_header, write_turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt

_BEFORE_TOOLS = (
    "You are a function calling AI model. You are provided with function signatures within <tools></tools> XML tags. "
    "You may call one or more functions to assist with the user query. Don't make assumptions about what values to plug "
    "into functions. Here are the available tools: <tools> "
)
_AFTER_TOOLS = (
    " </tools>Use the following pydantic model json schema for each tool call you will make: "
    '{"properties": {"name": {"title": "Name", "type": "string"}, "arguments": {"title": "Arguments", "type": "object"}}, '
    '"required": ["name", "arguments"], "title": "FunctionCall", "type": "object"}}\n'
    "For each function call return a json object with function name and arguments within <tool_call></tool_call> XML tags as "
    'follows:\n<tool_call>\n{"name": <function-name>, "arguments": <args-dict>}\n</tool_call>'
)


def render_hermes(conversation: Conversation, bos: str) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    refuse_images(conversation.messages, "Hermes")
    prompt = PromptBuilder().control(bos)
    if conversation.tools:
        _tools(prompt, conversation.tools)
    turns, prefill = split_prefill(conversation.messages)
    for index, message in enumerate(turns):
        match message.role:
            case "tool":
                _result(prompt, turns, index, is_last=index == len(turns) - 1)
            case "assistant" if message.tool_calls:
                _calls(prompt, message)
            case role:
                write_turn(prompt, role, message.content)
    write_header(prompt, "assistant")
    prompt.begin_answer().user(prefill.content if prefill else "")
    return prompt.build(stop=STOP)


def _tools(prompt: PromptBuilder, tools: Sequence[JsonObject]) -> None:
    write_header(prompt, "system")
    prompt.control(_BEFORE_TOOLS)
    for index, tool in enumerate(tools):
        prompt.control("\n" if index else "").user(signature_text(tool))
    prompt.control(_AFTER_TOOLS + END)


def _calls(prompt: PromptBuilder, message: Message) -> None:
    prompt.control("<|im_start|>assistant")
    # The reference forgets the text of such a turn.
    if message.content:
        prompt.control("\n").user(message.content)
    for call in message.tool_calls:
        prompt.control("\n")
        write_call(prompt, call)
    prompt.control(END)


def _result(prompt: PromptBuilder, turns: Sequence[Message], index: int, *, is_last: bool) -> None:
    begins = index > 0 and turns[index - 1].role != "tool"
    prompt.control("<|im_start|>tool\n" if begins else "")
    prompt.control("<tool_response>\n").user(turns[index].content).control("\n</tool_response>")
    prompt.control("" if is_last else "\n").control("<|im_end|>" if ends_run(turns, index) else "")
