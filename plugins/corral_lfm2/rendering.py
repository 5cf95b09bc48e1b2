"""Render a conversation as the reference templates of LFM2 and LFM2.5 do."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from corral.formats import PromptBuilder, dump_json, escape_json, refuse_images, split_prefill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, Json, JsonObject, Message, Prompt, ToolCall

STOP = ("<|im_end|>", "<|endoftext|>")
END = "<|im_end|>\n"

#: Roles that are part of the format; any other role is a word of the client's.
_ROLES = frozenset({"system", "user", "assistant", "tool"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the templates differ in: tags around lists and results, and which answers keep the thoughts in their text."""

    tools: tuple[str, str] = ("[", "]")
    result: tuple[str, str] = ("", "")
    keeps: Literal["all", "last answer", "after the question"] = "all"


LAYOUTS = MappingProxyType(
    {
        "lfm2": Layout(tools=("<|tool_list_start|>[", "]<|tool_list_end|>"), result=("<|tool_response_start|>", "<|tool_response_end|>")),
        "lfm2.5": Layout(keeps="last answer"),
        "lfm2-thinking": Layout(keeps="after the question"),
    }
)


def render(conversation: Conversation, layout: Layout, bos: str) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    refuse_images(conversation.messages, "LFM2")
    prompt = PromptBuilder().control(bos)
    messages = conversation.messages
    is_told = bool(messages) and messages[0].role == "system"
    _system(prompt, messages[0].content if is_told else "", conversation.tools, layout)
    messages = messages[1:] if is_told else messages
    turns, prefill = split_prefill(messages)
    kept_from = _kept_from(messages, layout)
    for index, message in enumerate(turns):
        prompt.control("<|im_start|>")
        (prompt.control if message.role in _ROLES else prompt.user)(message.role).control("\n")
        match message.role:
            case "tool":
                before, after = layout.result
                prompt.control(before).user(message.content).control(after)
            case "assistant":
                _assistant(prompt, message, layout, is_kept=index >= kept_from)
            case _:
                prompt.user(message.content)
        prompt.control(END)
    prompt.control("<|im_start|>assistant\n").begin_answer()
    if prefill:
        _answer(prompt, prefill, layout)
    return prompt.build(stop=STOP)


def _system(prompt: PromptBuilder, text: str, tools: Sequence[JsonObject], layout: Layout) -> None:
    if not text and not tools:
        return
    prompt.control("<|im_start|>system\n").user(text)
    if tools:
        before, after = layout.tools
        prompt.control("\n" if text else "").control(f"List of tools: {before}")
        for index, tool in enumerate(tools):
            prompt.control(", " if index else "").user(dump_json(tool))
        prompt.control(after)
    prompt.control(END)


def _kept_from(messages: Sequence[Message], layout: Layout) -> int:
    """Return the index from which on answers keep the thoughts in their text."""
    match layout.keeps:
        case "all":
            return 0
        case "last answer":
            return max((index for index, message in enumerate(messages) if message.role == "assistant"), default=0)
        case "after the question":
            return max((index + 1 for index, message in enumerate(messages) if message.role == "user"), default=0)


def _assistant(prompt: PromptBuilder, message: Message, layout: Layout, *, is_kept: bool) -> None:
    if layout.keeps == "after the question" and is_kept and message.thinking:
        prompt.control("<think>").user(message.thinking).control("</think>")
    is_thoughtful = not is_kept and "</think>" in message.content
    prompt.user(message.content.rpartition("</think>")[2].strip() if is_thoughtful else message.content)
    if message.tool_calls:
        prompt.control("<|tool_call_start|>[").user(", ".join(map(call_text, message.tool_calls))).control("]<|tool_call_end|>")


def _answer(prompt: PromptBuilder, prefill: Message, layout: Layout) -> None:
    if layout.keeps == "after the question" and prefill.thinking:
        prompt.control("<think>").user(prefill.thinking).control("</think>" if prefill.content else "")
    prompt.user(prefill.content)


def call_text(call: ToolCall) -> str:
    """Return a call as Python writes it."""
    return f"{call.name}({', '.join(f'{key}={_value_text(value)}' for key, value in call.arguments.items())})"


def _value_text(value: Json) -> str:
    match value:
        case str():
            # The reference escapes nothing, so that a quote in a text would end it.
            escaped = escape_json(value).replace('\\"', '"').replace("'", "\\'")
            return f"'{escaped}'"
        case dict():
            return dump_json(value)
        case _:
            return str(value)
