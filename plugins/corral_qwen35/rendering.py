"""Render a conversation as Qwen3.5 and Qwen3.8 were shown it, and Ornith, which was made of Qwen3.5."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from corral.formats import (
    HOW_TO_CALL_XML,
    PromptBuilder,
    begins_run,
    dump_json,
    ends_run,
    last_query,
    split_prefill,
    split_thinking,
    template_text,
)
from corral_qwen35.wording import BEFORE_TOOLS, EFFORTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, Json, JsonObject, Message, Prompt, Think, ToolCall

STOP = ("<|im_end|>", "<|endoftext|>")
END = "<|im_end|>\n"

#: The runner puts the picture in the place of these three tokens.
_IMAGE = "<|vision_start|><|image_pad|><|vision_end|>"
#: Roles that are part of the format; any other role is a word of the client's.
_ROLES = frozenset({"system", "user"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the templates differ in."""

    #: Whether the system message says how hard to think.
    tells_effort: bool = False
    #: Whether answers of before keep their thoughts; otherwise only those after the last question do.
    keeps_thoughts: bool = False
    #: Whether thoughts that a client left in an answer, between their tags, are taken out of it.
    finds_thoughts: bool = True
    #: Whether `true` and `null` are written as JSON; otherwise as Python does.
    json_values: bool = False


LAYOUTS = {
    "qwen3.5": Layout(),
    "qwen3.8": Layout(tells_effort=True, keeps_thoughts=True, finds_thoughts=False, json_values=True),
    "ornith": Layout(keeps_thoughts=True),
}


def render(conversation: Conversation, layout: Layout) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    prompt = PromptBuilder()
    messages = conversation.messages
    is_told = bool(messages) and messages[0].role == "system"
    told = messages[0].content.strip() if is_told else None
    _system(prompt, told, _effort(conversation.think) if layout.tells_effort else None, conversation.tools)
    turns, prefill = split_prefill(messages)
    query = last_query([replace(message, content=message.content.strip()) for message in messages])
    for index, message in enumerate(turns):
        match message.role:
            case "system" if index == 0:
                continue
            case "tool":
                begins = index > 0 and begins_run(turns, index)
                _result(prompt, message.content.strip(), begins=begins, ends=ends_run(turns, index))
            case "assistant":
                _assistant(prompt, message, layout, shows_thoughts=layout.keeps_thoughts or index > query)
            case _:
                _asked(prompt, message)
    _answer(prompt, prefill, layout, is_quiet=conversation.think is False)
    return prompt.build(stop=STOP)


def _effort(think: Think) -> str:
    match think:
        case False:
            return ""
        case "low" | "medium":
            return EFFORTS[think]
        case _:
            return EFFORTS["high"]


def _system(prompt: PromptBuilder, told: str | None, effort: str | None, tools: Sequence[JsonObject]) -> None:
    """Write the system turn; the templates that tell an effort (None for the others) leave an empty turn out."""
    is_empty = told is None if effort is None else not told and not effort
    if is_empty and not tools:
        return
    prompt.control("<|im_start|>system\n").control(effort or "").control("\n\n" if effort and (tools or told) else "")
    if tools:
        prompt.control(BEFORE_TOOLS)
        for tool in tools:
            prompt.control("\n").user(dump_json(tool))
        prompt.control(f"\n</tools>{HOW_TO_CALL_XML}").control("\n\n" if told else "")
    prompt.user(told or "").control(END)


def _asked(prompt: PromptBuilder, message: Message) -> None:
    prompt.control("<|im_start|>")
    (prompt.control if message.role in _ROLES else prompt.user)(message.role)
    prompt.control("\n")
    for image in message.images:
        prompt.media(_IMAGE, image)
    text = message.content.rstrip() if message.images else message.content.strip()
    prompt.user(text).control(END)


def _result(prompt: PromptBuilder, text: str, *, begins: bool, ends: bool) -> None:
    prompt.control("<|im_start|>user" if begins else "")
    prompt.control("\n<tool_response>\n").user(text).control("\n</tool_response>")
    prompt.control(END if ends else "")


def _assistant(prompt: PromptBuilder, message: Message, layout: Layout, *, shows_thoughts: bool) -> None:
    thinking, content = _said(message, layout)
    prompt.control("<|im_start|>assistant\n")
    if shows_thoughts:
        _thought(prompt, thinking)
    prompt.user(content)
    for number, call in enumerate(message.tool_calls):
        first = "\n\n" if content.strip() else ""
        prompt.control("\n" if number else first)
        _call(prompt, call, layout)
    prompt.control(END)


def _said(message: Message, layout: Layout) -> tuple[str, str]:
    content = message.content.strip()
    thinking, content = split_thinking(replace(message, content=content)) if layout.finds_thoughts else (message.thinking, content)
    return thinking.strip(), content


def _thought(prompt: PromptBuilder, thinking: str) -> None:
    prompt.control("<think>\n").user(thinking).control("\n</think>\n\n")


def _call(prompt: PromptBuilder, call: ToolCall, layout: Layout) -> None:
    parameters = "".join(f"<parameter={key}>\n{_value_text(value, layout)}\n</parameter>\n" for key, value in call.arguments.items())
    prompt.control("<tool_call>\n").user(f"<function={call.name}>\n{parameters}</function>").control("\n</tool_call>")


def _value_text(value: Json, layout: Layout) -> str:
    return dump_json(value) if layout.json_values and not isinstance(value, str) else template_text(value)


def _answer(prompt: PromptBuilder, prefill: Message | None, layout: Layout, *, is_quiet: bool) -> None:
    prompt.control("<|im_start|>assistant\n").begin_answer()
    thinking, content = _said(prefill, layout) if prefill else ("", "")
    if content or (is_quiet and not thinking):
        _thought(prompt, thinking)
        prompt.user(content)
    else:
        prompt.control("<think>\n").user(thinking)
