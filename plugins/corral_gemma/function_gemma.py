"""Render a conversation as Google's documentation shows FunctionGemma's: tools in the developer's turn, results in the model's.

The documentation leaves two things open. A developer's own text is followed by the sentence that makes the model call, and a
result that is no object is shown as one with the key `value`, as Gemma 4 is shown it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, load_object, refuse_images, split_prefill
from corral_gemma.declarations import declaration
from corral_gemma.literals import LiteralWriter, in_key_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt

#: A model that called waits for the result.
STOP = ("<end_of_turn>", "<start_function_response>")

_QUOTE = "<escape>"
_TRIGGER = "You are a model that can do function calling with the following functions"
_INSTRUCTORS = ("system", "developer")
_MODEL = "<start_of_turn>model\n"


def render(conversation: Conversation, bos: str) -> Prompt:
    """Return the prompt. After a result the model goes on in the turn of its call.

    A last assistant message without calls is left open for the model to continue.
    """
    refuse_images(conversation.messages, "FunctionGemma")
    messages, beginning = split_prefill(conversation.messages)
    prompt = PromptBuilder().control(bos)
    _developer(prompt, messages, conversation.tools)
    turns = [message for message in messages if message.role not in _INSTRUCTORS]
    is_open = False
    for index, message in enumerate(turns):
        if message.role == "assistant":
            prompt.control("" if is_open else _MODEL)
            _said(prompt, message)
        elif message.role == "tool":
            _result(prompt, message, turns[:index])
        else:
            prompt.control("<end_of_turn>\n" if is_open else "")
            prompt.control("<start_of_turn>user\n").user(message.content.strip()).control("<end_of_turn>\n")
        is_open = message.role == "tool" or bool(message.tool_calls)
    prompt.control("" if is_open else _MODEL).begin_answer()
    return prompt.user(beginning.content if beginning else "").build(stop=STOP)


def _developer(prompt: PromptBuilder, messages: Sequence[Message], tools: Sequence[JsonObject]) -> None:
    text = "\n\n".join(message.content.strip() for message in messages if message.role in _INSTRUCTORS)
    if not (text or tools):
        return
    prompt.control("<start_of_turn>developer\n").user(text)
    if tools and _TRIGGER not in text:
        prompt.control("\n" if text else "").control(_TRIGGER)
    for tool in tools:
        name, fields = declaration(tool)
        prompt.control("<start_function_declaration>").user(f"declaration:{name}")
        LiteralWriter(prompt, _QUOTE).value(fields, bare_keys=False)
        prompt.control("<end_function_declaration>")
    prompt.control("<end_of_turn>\n")


def _said(prompt: PromptBuilder, message: Message) -> None:
    prompt.user(message.content.strip())
    for call in message.tool_calls:
        prompt.control("<start_function_call>").user(f"call:{call.name}{{")
        LiteralWriter(prompt, _QUOTE).fields(in_key_order(call.arguments), bare_keys=True)
        prompt.user("}").control("<end_function_call>")
    prompt.control("" if message.tool_calls else "<end_of_turn>\n")


def _result(prompt: PromptBuilder, message: Message, before: Sequence[Message]) -> None:
    known = [call.name for turn in before for call in turn.tool_calls if call.id and call.id == message.tool_call_id]
    prompt.control("<start_function_response>").user(f"response:{known[-1] if known else message.tool_name or 'unknown'}{{")
    shown = load_object(message.content)
    LiteralWriter(prompt, _QUOTE).fields(in_key_order({"value": message.content} if shown is None else shown), bare_keys=True)
    prompt.user("}").control("<end_function_response>")
