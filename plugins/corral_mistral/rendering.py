"""Render a conversation as the references of Ministral 3, Devstral and Mistral Small 3.2 do.

Roles need not alternate. The reference of Mistral Small also drops text next to calls, and repeats tools before an earlier question in
the words of the last; here the text stands before its calls, and tools stand once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, dump_json, refuse_images, split_prefill
from corral_mistral.history import CallIds, last_question
from corral_mistral.instructions import write_instructions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt

_EOS = "</s>"
STOP = (_EOS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where the models differ."""

    thinks: bool = False
    #: Calls and results bear ids.
    has_ids: bool = False
    #: Tools stand before the last question, not after the instructions.
    tools_with_question: bool = False


#: By renderer; the names are those of the instructions, too.
_LAYOUTS = {
    "ministral": _Layout(thinks=True),
    "devstral": _Layout(),
    "mistral-small": _Layout(has_ids=True, tools_with_question=True),
}


def render(conversation: Conversation, model: str, bos: str) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    refuse_images(conversation.messages, f"{model}, but in users' turns,", unless_from="user")
    layout = _LAYOUTS[model]
    turns, prefill = split_prefill(conversation.messages)
    prompt = PromptBuilder().control(f"{bos}[SYSTEM_PROMPT]")
    if turns and turns[0].role == "system":
        prompt.user(turns[0].content)
        turns = turns[1:]
    else:
        write_instructions(prompt, model, conversation.template_arguments.get("current_date"))
    prompt.control("[/SYSTEM_PROMPT]")
    tools_at = max(0, last_question(turns)) if layout.tools_with_question else 0
    ids = CallIds()
    _turns(prompt, turns[:tools_at], layout, ids)
    _tools(prompt, conversation.tools)
    _turns(prompt, turns[tools_at:], layout, ids)
    prompt.begin_answer()
    if prefill:
        _said(prompt, prefill, layout)
    return prompt.build(stop=STOP)


def _tools(prompt: PromptBuilder, tools: Sequence[JsonObject]) -> None:
    if tools:
        prompt.control("[AVAILABLE_TOOLS]").user(dump_json(list(tools))).control("[/AVAILABLE_TOOLS]")


def _turns(prompt: PromptBuilder, turns: Sequence[Message], layout: _Layout, ids: CallIds) -> None:
    for message in turns:
        match message.role:
            case "system":
                prompt.control("[SYSTEM_PROMPT]").user(message.content).control("[/SYSTEM_PROMPT]")
            case "assistant":
                _assistant(prompt, message, layout, ids)
            case "tool":
                prompt.control("[TOOL_RESULTS]")
                if layout.has_ids:
                    prompt.user(ids.of_result(message.tool_call_id)).control("[TOOL_CONTENT]")
                prompt.user(message.content).control("[/TOOL_RESULTS]")
            case _:
                _asked(prompt, message)


def _asked(prompt: PromptBuilder, message: Message) -> None:
    prompt.control("[INST]")
    for image in message.images:
        prompt.media("[IMG]", image)
    prompt.user(message.content).control("[/INST]")


def _assistant(prompt: PromptBuilder, message: Message, layout: _Layout, ids: CallIds) -> None:
    _said(prompt, message, layout)
    for call in message.tool_calls:
        prompt.control("[TOOL_CALLS]").user(call.name)
        if layout.has_ids:
            prompt.control("[CALL_ID]").user(ids.of_call(call.id))
        prompt.control("[ARGS]").user(dump_json(call.arguments))
    prompt.control(_EOS)


def _said(prompt: PromptBuilder, message: Message, layout: _Layout) -> None:
    if message.thinking and layout.thinks:
        prompt.control("[THINK]").user(message.thinking).control("[/THINK]")
    prompt.user(message.content)
