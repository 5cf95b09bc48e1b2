"""Render a conversation as the reference template of Step 3.5 Flash does, which answers as Qwen3.5 does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import (
    HOW_TO_CALL_XML,
    PromptBuilder,
    begins_run,
    dump_json,
    ends_run,
    last_query,
    refuse_images,
    split_prefill,
    split_thinking,
    xml_call_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt

END = "<|im_end|>\n"

_BEFORE_TOOLS = "# Tools\n\nYou have access to the following functions in JSONSchema format:\n\n<tools>"
_HEAD, _REMINDER, _ = HOW_TO_CALL_XML.partition("Reminder:\n")
_AFTER_TOOLS = f"""
</tools>{_HEAD}{_REMINDER}\
- Function calls MUST follow the specified format: an inner <function=...>
...
</function> block must be nested within <tool_call>
...
</tool_call> XML tags
- Required parameters MUST be specified
</IMPORTANT>"""
#: Roles that are part of the format; any other role has no turn.
_ROLES = frozenset({"system", "user"})


def render(conversation: Conversation, bos: str) -> Prompt:
    """Return the prompt, which always ends in thinking. Thinking of turns before the last question is left out.

    A last assistant message without calls is left open for the model to continue.
    """
    refuse_images(conversation.messages, "Step 3.5 Flash")
    messages = conversation.messages
    prompt = PromptBuilder().control(bos)
    is_told = bool(messages) and messages[0].role == "system"
    _system(prompt, messages[0].content if is_told else None, conversation.tools)
    query = last_query(messages)
    turns, beginning = split_prefill(messages)
    for index, message in enumerate(turns):
        if message.role == "assistant":
            _assistant(prompt, message, shows_thinking=index > query)
        elif message.role == "tool":
            prompt.control("<|im_start|>tool_response\n" if begins_run(turns, index) else "")
            prompt.control("<tool_response>").user(message.content).control("</tool_response>")
            prompt.control(END if ends_run(turns, index) else "")
        elif message.role in _ROLES and not (is_told and index == 0):
            prompt.control(f"<|im_start|>{message.role}\n").user(message.content).control(END)
    prompt.control("<|im_start|>assistant\n").begin_answer()
    if beginning:
        _said(prompt, beginning, shows_thinking=True)
    else:
        prompt.control("<think>\n")
    return prompt.build(stop=("<|im_end|>",))


def _system(prompt: PromptBuilder, text: str | None, tools: Sequence[JsonObject]) -> None:
    if text is None and not tools:
        return
    prompt.control("<|im_start|>system\n").user(text or "")
    if tools:
        prompt.control("" if text is None else "\n\n").control(_BEFORE_TOOLS)
        for tool in tools:
            prompt.control("\n").user(dump_json(tool))
        prompt.control(_AFTER_TOOLS)
    prompt.control(END)


def _assistant(prompt: PromptBuilder, message: Message, *, shows_thinking: bool) -> None:
    prompt.control("<|im_start|>assistant\n")
    _said(prompt, message, shows_thinking=shows_thinking)
    for call in message.tool_calls:
        prompt.control("<tool_call>\n").user(xml_call_text(call)).control("\n</tool_call>")
    prompt.control(END)


def _said(prompt: PromptBuilder, message: Message, *, shows_thinking: bool) -> None:
    thinking, content = split_thinking(message)
    if shows_thinking:
        prompt.control("<think>\n").user(thinking).control("\n</think>\n")
    prompt.user(content)
