"""Render a conversation as Olmo 3 was shown them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, dump_json, refuse_images, split_prefill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt, ToolCall

STOP = ("<|im_end|>", "<|endoftext|>")
END = "<|im_end|>\n"

_NAMED = (
    "You are Olmo, a helpful AI assistant built by Ai2. Your date cutoff is December 2024, "
    "and your model weights are available at https://huggingface.co/allenai."
)
_NO_TOOLS = " You do not currently have access to any functions. <functions></functions>"
_TOOLS = (
    " You are provided with function signatures within <functions></functions> XML tags. You may call one or more functions to assist "
    "with the user query. Output any function calls within <function_calls></function_calls> XML tags. Do not make assumptions about "
    "what values to plug into functions."
)
#: Roles that are part of the format; any other role is a word of the client's.
_ROLES = frozenset({"system", "user", "assistant", "environment"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the models were told by themselves, and whether they think."""

    default_system: str
    thinks: bool = False


LAYOUTS = MappingProxyType(
    {
        "olmo3": Layout(default_system="You are a helpful function-calling AI assistant."),
        "olmo3.1": Layout(default_system=_NAMED),
        "olmo3-think": Layout(default_system=_NAMED, thinks=True),
        "olmo3-32b-think": Layout(default_system="You are a helpful AI assistant.", thinks=True),
    }
)


def render(conversation: Conversation, layout: Layout) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    refuse_images(conversation.messages, "Olmo 3")
    prompt = PromptBuilder()
    messages = conversation.messages
    is_told = bool(messages) and messages[0].role == "system"
    told = messages[0].content if is_told else None
    prompt.control("<|im_start|>system\n")
    if layout.thinks:
        prompt.user(layout.default_system if told is None else told).control(_NO_TOOLS if is_told else "")
    else:
        _tools(prompt, told, layout, conversation.tools)
    prompt.control(END)
    turns, prefill = split_prefill(messages[1:] if is_told else messages)
    for message in turns:
        _turn(prompt, message)
    _answer(prompt, prefill, layout)
    return prompt.build(stop=STOP)


def _tools(prompt: PromptBuilder, told: str | None, layout: Layout, tools: Sequence[JsonObject]) -> None:
    """Write the system text; a client's own is not told how to call, only what there is."""
    if told is None:
        prompt.control(layout.default_system).control(_TOOLS if tools else _NO_TOOLS)
    else:
        prompt.user(told)
    if tools:
        prompt.control("<functions>").user(dump_json(list(tools))).control("</functions>")


def _turn(prompt: PromptBuilder, message: Message) -> None:
    role = "environment" if message.role == "tool" else message.role
    prompt.control("<|im_start|>")
    (prompt.control if role in _ROLES else prompt.user)(role)
    prompt.control("\n").user(message.content)
    if message.tool_calls:
        calls = "\n".join(map(_call_text, message.tool_calls))
        prompt.control("<function_calls>").user(calls).control("</function_calls>")
    prompt.control(END)


def _call_text(call: ToolCall) -> str:
    return f"{call.name}({', '.join(f'{key}={dump_json(value)}' for key, value in call.arguments.items())})"


def _answer(prompt: PromptBuilder, prefill: Message | None, layout: Layout) -> None:
    prompt.control("<|im_start|>assistant\n").begin_answer()
    content = prefill.content if prefill else ""
    if layout.thinks:
        prompt.control("<think>").user(prefill.thinking if prefill else "").control("</think>" if content else "")
    prompt.user(content)
