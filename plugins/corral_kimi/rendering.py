"""Render a conversation as the reference templates of Kimi K2 do: calls are numbered, results name the calls in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, dump_json, refuse_images, split_prefill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, Message, Prompt

STOP = ("<|im_end|>",)

_DEFAULT_SYSTEM = "<|im_system|>system<|im_middle|>You are Kimi, an AI assistant created by Moonshot AI.<|im_end|>"
_HEADERS = {"user": "<|im_user|>", "assistant": "<|im_assistant|>"}


def render(conversation: Conversation, *, thinks: bool) -> Prompt:
    """Return the prompt. A thinking model is shown what it thought since its first answer without calls.

    A last assistant message without calls is left open for the model to continue.
    """
    refuse_images(conversation.messages, "Kimi K2")
    prompt = PromptBuilder()
    if conversation.tools:
        prompt.control("<|im_system|>tool_declare<|im_middle|>").user(dump_json(list(conversation.tools))).control("<|im_end|>")
    messages, prefill = split_prefill(conversation.messages)
    if not messages or messages[0].role != "system":
        prompt.control(_DEFAULT_SYSTEM).control("" if thinks else "\n")
    ids = _Ids()
    shown_from = _first_answer(messages) + 1
    for index, message in enumerate(messages):
        _header(prompt, message)
        if thinks and message.role == "assistant":
            _thinking(prompt, message.thinking if index >= shown_from else "")
        _body(prompt, message, ids)
        prompt.control("<|im_end|>")
    prompt.control("<|im_assistant|>assistant<|im_middle|>").begin_answer()
    if prefill and thinks:
        _thinking(prompt, prefill.thinking)
    prompt.user(prefill.content if prefill else "")
    return prompt.build(stop=STOP)


class _Ids:
    """Numbers the calls of a conversation, and gives each result the id of the call that waits longest."""

    def __init__(self) -> None:
        self._count = 0
        self._waiting: list[str] = []

    def of_call(self, name: str) -> str:
        self._waiting.append(f"functions.{name}:{self._count}")
        self._count += 1
        return self._waiting[-1]

    def of_result(self, name: str) -> str:
        return self._waiting.pop(0) if self._waiting else f"functions.{name or 'unknown'}:{self._count}"


def _first_answer(messages: Sequence[Message]) -> int:
    """Return the index of the first answer without calls; -1 if there is none."""
    # The reference means the last one, and its loop leaves the first; servers that run the template show models the same.
    return next((i for i, message in enumerate(messages) if message.role == "assistant" and not message.tool_calls), -1)


def _thinking(prompt: PromptBuilder, text: str) -> None:
    prompt.control("<think>").user(text).control("</think>")


def _header(prompt: PromptBuilder, message: Message) -> None:
    prompt.control(_HEADERS.get(message.role, "<|im_system|>"))
    if message.tool_name or message.role not in ("system", "user", "assistant", "tool"):
        prompt.user(message.tool_name or message.role)
    else:
        prompt.control(message.role)
    prompt.control("<|im_middle|>")


def _body(prompt: PromptBuilder, message: Message, ids: _Ids) -> None:
    if message.role == "tool":
        prompt.control("## Return of ").user(f"{ids.of_result(message.tool_name)}\n")
    prompt.user(message.content)
    if message.role == "assistant" and message.tool_calls:
        prompt.control("<|tool_calls_section_begin|>")
        for call in message.tool_calls:
            prompt.control("<|tool_call_begin|>").user(ids.of_call(call.name)).control("<|tool_call_argument_begin|>")
            prompt.user(dump_json(call.arguments)).control("<|tool_call_end|>")
        prompt.control("<|tool_calls_section_end|>")
