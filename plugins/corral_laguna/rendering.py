"""Render a conversation as Laguna's reference templates do, in the layout of XS (tags on lines of their own) or of S."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, dump_json, refuse_images, split_prefill, split_thinking
from corral_laguna.wording import AFTER_TOOLS, BEFORE_TOOLS, HOW_TO_CALL, HOW_TO_THINK_AND_CALL, IDENTITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, Message, Prompt, ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the models differ."""

    #: What stands between a tag and its text.
    line: str
    #: The system message of a conversation without one.
    identity: str
    #: Whether a model thinks that was not told to, and is shown in all turns that it does.
    thinks: bool = False


LAYOUTS = {
    "laguna": Layout(line="\n", identity=IDENTITY),
    "laguna-xs-2.1": Layout(line="\n", identity=""),
    "poolside-v1": Layout(line="", identity=IDENTITY, thinks=True),
}


def render(conversation: Conversation, layout: Layout, bos: str) -> Prompt:
    """Return the prompt. Thinking of all turns is shown.

    A last assistant message without calls is left open for the model to continue.
    """
    refuse_images(conversation.messages, "Laguna")
    turns, beginning = split_prefill(conversation.messages)
    thinks = layout.thinks if conversation.think is None else bool(conversation.think)
    shows_thinking = thinks or conversation.template_arguments.get("preserve_thinking") is True
    prompt = PromptBuilder().control(bos)
    for message in _head(prompt, conversation, turns, layout, thinks=thinks):
        match message.role:
            case "assistant":
                _assistant(prompt, message, layout, shows_thinking=shows_thinking)
            case "tool":
                _tagged(prompt, "tool_response", message.content, layout)
            case "user" | "system":
                _tagged(prompt, message.role, message.content, layout)
    prompt.control(f"<assistant>{layout.line}").begin_answer()
    if beginning:
        _thought(prompt, beginning.thinking, layout, is_shown=bool(beginning.thinking))
        prompt.user(beginning.content)
    else:
        prompt.control("<think>" if thinks else "</think>")
    return prompt.build(stop=("</assistant>",))


def _head(
    prompt: PromptBuilder, conversation: Conversation, turns: Sequence[Message], layout: Layout, *, thinks: bool
) -> Sequence[Message]:
    """Write the system message, with the tools in it; return the turns behind it."""
    is_given = bool(turns) and turns[0].role == "system"
    text = (turns[0].content if is_given else layout.identity).rstrip()
    if text or conversation.tools or (layout.thinks and thinks):
        prompt.control(f"<system>{layout.line}").control(layout.line if text else "")
        (prompt.user if is_given else prompt.control)(text)
        if conversation.tools:
            prompt.control("\n\n" if text or layout.line else "")
            _tools(prompt, conversation, layout, thinks=thinks)
        prompt.control(f"{layout.line}</system>\n")
    return turns[1:] if is_given else turns


def _tools(prompt: PromptBuilder, conversation: Conversation, layout: Layout, *, thinks: bool) -> None:
    prompt.control(BEFORE_TOOLS)
    for tool in conversation.tools:
        prompt.user(f"{dump_json(tool)}\n")
    prompt.control(AFTER_TOOLS)
    if layout.line:
        prompt.control(HOW_TO_THINK_AND_CALL if thinks else HOW_TO_CALL)


def _tagged(prompt: PromptBuilder, tag: str, text: str, layout: Layout) -> None:
    prompt.control(f"<{tag}>{layout.line}").user(text).control(f"{layout.line}</{tag}>\n")


def _assistant(prompt: PromptBuilder, message: Message, layout: Layout, *, shows_thinking: bool) -> None:
    prompt.control(f"<assistant>{layout.line}")
    if layout.line:
        thinking, content = split_thinking(message)
        content = content.rpartition("</think>")[2].strip()
        _thought(prompt, thinking.strip(), layout, is_shown=bool(thinking))
        prompt.user(content).control("\n" if content else "")
    else:
        _thought(prompt, message.thinking, layout, is_shown=shows_thinking)
        prompt.user(message.content)
    for call in message.tool_calls:
        _call(prompt, call, layout)
    prompt.control("</assistant>\n")


def _thought(prompt: PromptBuilder, text: str, layout: Layout, *, is_shown: bool) -> None:
    if is_shown:
        prompt.control(f"<think>{layout.line}").user(text).control(layout.line)
    prompt.control(f"</think>{layout.line}")


def _call(prompt: PromptBuilder, call: ToolCall, layout: Layout) -> None:
    line = layout.line
    prompt.control("<tool_call>").user(call.name).control(line)
    for key, value in call.arguments.items():
        prompt.control("<arg_key>").user(key).control(f"</arg_key>{line}<arg_value>")
        prompt.user(value if isinstance(value, str) else dump_json(value)).control(f"</arg_value>{line}")
    prompt.control(f"</tool_call>{line}")
