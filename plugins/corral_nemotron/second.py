"""Render a conversation as the reference template of Nemotron Nano v2 does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, begins_run, dump_json, ends_run, function_of, refuse_images, split_prefill
from corral_nemotron.wording import SECOND_AFTER_TOOLS, SECOND_BEFORE_TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt, ToolCall

STOP = ("<SPECIAL_12>",)


def render_second(conversation: Conversation) -> Prompt:
    """Return the prompt. Users switch thinking in words, `/think` and `/no_think`; the request's own wish comes before."""
    refuse_images(conversation.messages, "Nemotron Nano")
    prompt = PromptBuilder()
    messages = conversation.messages
    is_told = bool(messages) and messages[0].role == "system"
    _system(prompt, _without_switches(messages[0].content) if is_told else "", conversation.tools)
    turns, prefill = split_prefill(messages[1:] if is_told else messages)
    for index, message in enumerate(turns):
        match message.role:
            case "tool":
                _result(prompt, message.content, is_first=begins_run(turns, index), is_last=ends_run(turns, index))
            case "assistant":
                _assistant(prompt, message)
            case "user":
                prompt.control("<SPECIAL_11>User\n").user(_without_switches(message.content)).control("\n")
            case _:
                prompt.control("<SPECIAL_10>System\n").user(_without_switches(message.content)).control("\n")
    _answer(prompt, prefill, thinks=_is_thinking(messages) if conversation.think is None else bool(conversation.think))
    return prompt.build(stop=STOP)


def _system(prompt: PromptBuilder, text: str, tools: Sequence[JsonObject]) -> None:
    prompt.control("<SPECIAL_10>System\n").user(text)
    if tools:
        prompt.control("\n\n" if text else "").control(SECOND_BEFORE_TOOLS)
        for index, tool in enumerate(tools):
            prompt.control(", " if index else "").user(dump_json(function_of(tool)))
        prompt.control(SECOND_AFTER_TOOLS)
    prompt.control("\n\n")


def _result(prompt: PromptBuilder, text: str, *, is_first: bool, is_last: bool) -> None:
    prompt.control("<SPECIAL_11>User\n<TOOL_RESPONSE>[" if is_first else "").user(text)
    prompt.control("]</TOOL_RESPONSE>" if is_last else ", ")


def _assistant(prompt: PromptBuilder, message: Message) -> None:
    parts = message.content.split("</think>")
    text = parts[1 if len(parts) > 1 else 0].strip()
    prompt.control("<SPECIAL_11>Assistant\n").user(text)
    if message.tool_calls:
        prompt.control("\n" if text else "")
        _calls(prompt, message.tool_calls)
    prompt.control("\n<SPECIAL_12>\n")


def _calls(prompt: PromptBuilder, calls: Iterable[ToolCall]) -> None:
    prompt.control("<TOOLCALL>[")
    for index, call in enumerate(calls):
        prompt.control(', {"name": "' if index else '{"name": "').user(call.name)
        prompt.control('", "arguments": ').user(dump_json(call.arguments)).control("}")
    prompt.control("]</TOOLCALL>")


def _answer(prompt: PromptBuilder, prefill: Message | None, *, thinks: bool) -> None:
    prompt.control("<SPECIAL_11>Assistant\n").begin_answer()
    thinking = prefill.thinking if prefill else ""
    content = prefill.content.strip() if prefill else ""
    if thinking:
        prompt.control("<think>\n").user(thinking).control("\n</think>\n\n" if content else "")
    else:
        prompt.control("<think>\n" if thinks and not content else "<think></think>")
    prompt.user(content)


def _without_switches(text: str) -> str:
    return text.replace("/think", "").replace("/no_think", "").strip()


def _is_thinking(messages: Iterable[Message]) -> bool:
    """Return what the last switch says; thinking is on by itself."""
    said = [m.content for m in messages if m.role in ("user", "system") and ("/think" in m.content or "/no_think" in m.content)]
    return not said or "/think" in said[-1]
