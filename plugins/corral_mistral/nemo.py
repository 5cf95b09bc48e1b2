"""Render a conversation as Mistral Nemo's reference template does: instructions and tools stand with the last question.

Roles need not alternate, system messages may come later, and text next to calls is kept, all of which the reference refuses or drops.
It also forgets the instructions while a call is answered, and repeats tools before an earlier question in the same words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, dump_json, function_of, refuse_images, split_prefill
from corral_mistral.history import CallIds, last_question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt, ToolCall

_EOS = "</s>"
STOP = (_EOS,)


def render(conversation: Conversation, bos: str) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    refuse_images(conversation.messages, "Mistral Nemo")
    messages, prefill = split_prefill(conversation.messages)
    instructions = [message.content for message in messages if message.role == "system"]
    turns = [message for message in messages if message.role != "system"]
    asked = last_question(turns)
    prompt = PromptBuilder().control(bos)
    ids = CallIds()
    for index, message in enumerate(turns):
        match message.role:
            case "assistant":
                _assistant(prompt, message, ids)
            case "tool":
                text = f'{{"content": {message.content}, "call_id": "{ids.of_result(message.tool_call_id)}"}}'
                prompt.control("[TOOL_RESULTS]").user(text).control("[/TOOL_RESULTS]")
            case _:
                _tools(prompt, conversation.tools if index == asked else ())
                _asked(prompt, [*(instructions if index == asked else ()), message.content])
    if instructions and asked < 0:
        _tools(prompt, conversation.tools)
        _asked(prompt, instructions)
    prompt.begin_answer().user(prefill.content if prefill else "")
    return prompt.build(stop=STOP)


def _asked(prompt: PromptBuilder, texts: Sequence[str]) -> None:
    prompt.control("[INST]").user("\n\n".join(texts)).control("[/INST]")


def _assistant(prompt: PromptBuilder, message: Message, ids: CallIds) -> None:
    prompt.user(message.content)
    if message.tool_calls:
        calls = ", ".join(_call_text(call, ids.of_call(call.id)) for call in message.tool_calls)
        prompt.control("[TOOL_CALLS]").user(f"[{calls}]")
    prompt.control(_EOS)


def _call_text(call: ToolCall, call_id: str) -> str:
    return f'{{"name": {dump_json(call.name)}, "arguments": {dump_json(call.arguments)}, "id": "{call_id}"}}'


def _tools(prompt: PromptBuilder, tools: Sequence[JsonObject]) -> None:
    if tools:
        prompt.control("[AVAILABLE_TOOLS]").user(f"[{', '.join(map(_tool_text, tools))}]").control("[/AVAILABLE_TOOLS]")


def _tool_text(tool: JsonObject) -> str:
    """Return a tool as the model was shown them: texts are not escaped, and what the function returns is not told."""
    fields = [(key, value) for key, value in function_of(tool).items() if key != "return"]
    shown = [f'"{key}": ' + (f'"{value}"' if isinstance(value, str) else dump_json(value)) for key, value in fields]
    return f'{{"type": "function", "function": {{{", ".join(shown)}}}}}'
