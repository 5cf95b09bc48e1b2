"""Render a conversation as the reference templates of Nemotron 3 Nano and 3.5 Nano do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.formats import (
    HOW_TO_CALL_XML,
    PromptBuilder,
    begins_run,
    ends_run,
    refuse_images,
    split_prefill,
    split_thinking,
    xml_call_text,
    xml_tool_text,
)
from corral_nemotron.wording import EFFICIENT, THIRD_BEFORE_TOOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt

STOP = ("<|im_end|>",)
END = "<|im_end|>\n"

#: Roles that are part of the format; any other role is a word of the client's.
_ROLES = frozenset({"system", "user"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the templates differ in."""

    #: What stands between thoughts and the tag behind them, and between that tag and the answer.
    line: str
    #: Whether the last question may say that little thinking is wanted.
    tells_effort: bool


NANO_3 = Layout(line="\n", tells_effort=False)
NANO_35 = Layout(line="", tells_effort=True)


def render_third(conversation: Conversation, layout: Layout) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    refuse_images(conversation.messages, "Nemotron Nano")
    prompt = PromptBuilder()
    messages = conversation.messages
    is_told = bool(messages) and messages[0].role == "system"
    _system(prompt, messages[0].content if is_told else "", conversation.tools)
    messages = messages[1:] if is_told else messages
    turns, prefill = split_prefill(messages)
    is_efficient = layout.tells_effort and conversation.think in ("low", "medium")
    last_user = max((index for index, message in enumerate(messages) if message.role == "user"), default=-1)
    for index, message in enumerate(turns):
        match message.role:
            case "tool":
                begins = index > 0 and begins_run(turns, index)
                _result(prompt, message.content, begins=begins, ends=ends_run(turns, index))
            case "assistant":
                _assistant(prompt, message, layout, is_late=index >= last_user)
            case _:
                prompt.control("<|im_start|>")
                (prompt.control if message.role in _ROLES else prompt.user)(message.role)
                prompt.control("\n").user(message.content).control(EFFICIENT if is_efficient and index == last_user else "").control(END)
    _answer(prompt, prefill, layout, is_quiet=conversation.think is False)
    return prompt.build(stop=STOP)


def _system(prompt: PromptBuilder, text: str, tools: Sequence[JsonObject]) -> None:
    prompt.control("<|im_start|>system\n").user(text)
    if tools:
        prompt.control("\n\n" if text else "").control(THIRD_BEFORE_TOOLS)
        for tool in tools:
            prompt.user(xml_tool_text(tool, keywords_last=True))
        prompt.control(f"\n</tools>{HOW_TO_CALL_XML}")
    prompt.control(END)


def _result(prompt: PromptBuilder, text: str, *, begins: bool, ends: bool) -> None:
    prompt.control("<|im_start|>user\n" if begins else "")
    prompt.control("<tool_response>\n").user(text).control("\n</tool_response>\n")
    prompt.control(END if ends else "")


def _assistant(prompt: PromptBuilder, message: Message, layout: Layout, *, is_late: bool) -> None:
    """Write an answer of before; only the newest ones keep their thoughts."""
    prompt.control("<|im_start|>assistant\n")
    (_late if is_late else _early)(prompt, message, layout)
    prompt.control("\n" if message.tool_calls else "")
    for call in message.tool_calls:
        prompt.control("<tool_call>\n").user(xml_call_text(call)).control("\n</tool_call>\n")
    prompt.control(END)


def _late(prompt: PromptBuilder, message: Message, layout: Layout) -> None:
    content = message.content
    if message.thinking.strip():
        prompt.control("<think>\n").user(message.thinking).control(f"{layout.line}</think>")
        prompt.user(f"{layout.line}{content}".rstrip())
    elif "<think>" in content or "</think>" in content:
        prompt.user(content.strip())
    else:
        prompt.control("<think></think>").user(content.rstrip())


def _early(prompt: PromptBuilder, message: Message, layout: Layout) -> None:
    has_thoughts = bool(message.thinking.strip())
    content = f"{layout.line}{message.content}" if has_thoughts else message.content
    is_tagged = not has_thoughts and ("<think>" in content or "</think>" in content)
    is_whole = not is_tagged or ("<think>" in content and "</think>" in content)
    if message.tool_calls:
        said = content.rpartition("</think>")[2] if "</think>" in content else content.partition("<think>")[0] if is_tagged else content
        prompt.control("<think></think>").user(said.strip() if layout.line else said)
    elif is_whole:
        prompt.control("<think></think>").user(content.rpartition("</think>")[2].rstrip())
    else:
        prompt.user(content.strip())


def _answer(prompt: PromptBuilder, prefill: Message | None, layout: Layout, *, is_quiet: bool) -> None:
    prompt.control("<|im_start|>assistant\n").begin_answer()
    thinking, content = split_thinking(prefill) if prefill else ("", "")
    if thinking:
        prompt.control("<think>\n").user(thinking).control(f"{layout.line}</think>{layout.line}" if content else "")
    else:
        prompt.control("<think></think>" if is_quiet or content else "<think>\n")
    prompt.user(content)
