"""Render a conversation as Gemma 4's reference template does.

Two differences: the reference writes the text next to a call behind the call's result, and drops results that answer no call;
here text stands before its calls, and every result is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, refuse_images, split_prefill
from corral_gemma.declarations import declaration
from corral_gemma.literals import LiteralWriter, in_key_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, Message, Prompt

#: A model that called waits for the result.
STOP = ("<turn|>", "<|tool_response>")

_INSTRUCTORS = ("system", "developer")
_ROLES = frozenset({"system", "developer", "user"})
_NO_THOUGHT = "<|channel>thought\n<channel|>"
_QUOTE = '<|"|>'


def render(conversation: Conversation, bos: str, *, is_large: bool) -> Prompt:
    """Return the prompt. After a result the model goes on in the turn of its call.

    A large model that shall not think is shown that it did not; a small one was not taught to think unasked.
    A last assistant message without calls is left open for the model to continue.
    """
    refuse_images(conversation.messages, "Gemma 4, but in users' turns,", unless_from="user")
    turns, prefill = split_prefill(conversation.messages)
    prompt = PromptBuilder().control(bos)
    turns = _system(prompt, conversation, turns)
    last_question = max((index for index, message in enumerate(turns) if message.role == "user"), default=-1)
    speaker = ""
    for index, message in enumerate(turns):
        if message.role == "tool":
            _result(prompt, message, turns[:index])
            continue
        if message.role == "assistant":
            prompt.control("" if speaker == "assistant" else "<|turn>model\n")
            is_answered = index + 1 < len(turns) and turns[index + 1].role == "tool"
            _assistant(prompt, message, shows_thinking=index > last_question, is_answered=is_answered)
        else:
            _turn(prompt, message)
        speaker = message.role
    waits = _waits_for_result(turns)
    prompt.control("" if waits else "<|turn>model\n").begin_answer()
    if prefill and prefill.thinking:
        _thinking(prompt, prefill.thinking)
    elif is_large and not (waits or conversation.think):
        prompt.control(_NO_THOUGHT)
    return prompt.user(_without_thinking(prefill.content) if prefill else "").build(stop=STOP)


def _system(prompt: PromptBuilder, conversation: Conversation, turns: Sequence[Message]) -> Sequence[Message]:
    """Write the instructions, if there are any; return the turns behind them."""
    instructs = bool(turns) and turns[0].role in _INSTRUCTORS
    if not (conversation.think or conversation.tools or instructs):
        return turns
    prompt.control("<|turn>system\n").control("<|think|>\n" if conversation.think else "")
    prompt.user(turns[0].content.strip() if instructs else "")
    for tool in conversation.tools:
        name, fields = declaration(tool)
        prompt.control("<|tool>").user(f"declaration:{name}")
        LiteralWriter(prompt, _QUOTE).value(fields, bare_keys=False)
        prompt.control("<tool|>")
    prompt.control("<turn|>\n")
    return turns[1:] if instructs else turns


def _turn(prompt: PromptBuilder, message: Message) -> None:
    prompt.control("<|turn>")
    (prompt.control if message.role in _ROLES else prompt.user)(message.role)
    prompt.control("\n")
    for image in message.images:
        prompt.media("<|image|>", image)
    prompt.user(message.content.strip()).control("<turn|>\n")


def _thinking(prompt: PromptBuilder, text: str) -> None:
    prompt.control("<|channel>thought\n").user(text).control("\n<channel|>")


def _assistant(prompt: PromptBuilder, message: Message, *, shows_thinking: bool, is_answered: bool) -> None:
    if message.thinking and shows_thinking and message.tool_calls:
        _thinking(prompt, message.thinking)
    prompt.user(_without_thinking(message.content))
    for call in message.tool_calls:
        prompt.control("<|tool_call>").user(f"call:{call.name}{{")
        LiteralWriter(prompt, _QUOTE).fields(in_key_order(call.arguments), bare_keys=True)
        prompt.user("}").control("<tool_call|>")
    if not message.tool_calls:
        prompt.control("<turn|>\n")
    elif not is_answered:
        prompt.control("<|tool_response>")


def _without_thinking(text: str) -> str:
    """Return a turn's text without what a client left between the marks of thinking."""
    return "".join(part.partition("<|channel>")[0] for part in text.split("<channel|>")).strip()


def _result(prompt: PromptBuilder, message: Message, before: Sequence[Message]) -> None:
    calls = next((earlier.tool_calls for earlier in reversed(before) if earlier.role != "tool"), ())
    names = [call.name for call in calls if call.id and call.id == message.tool_call_id]
    prompt.control("<|tool_response>").user(f"response:{names[-1] if names else message.tool_name or 'unknown'}{{value:")
    LiteralWriter(prompt, _QUOTE).value(message.content, bare_keys=True)
    prompt.user("}").control("<tool_response|>")


def _waits_for_result(turns: Sequence[Message]) -> bool:
    """Return whether the model's turn with its last calls is still open."""
    last = next((message for message in reversed(turns) if message.role != "tool"), None)
    return last is not None and bool(last.tool_calls)
