"""Render a conversation as harmony messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.errors import Unsupported
from corral.formats import PromptBuilder, ToolSchemas, dump_json, refuse_images
from corral_harmony.names import Names
from corral_harmony.typescript import namespace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, Message, Prompt, Think

#: `<|end|>` is no stop: after thinking the answer goes on with the next message.
STOP = ("<|return|>", "<|call|>")

_IDENTITY = "You are ChatGPT, a large language model trained by OpenAI.\nKnowledge cutoff: 2024-06"
_CHANNELS = "# Valid channels: analysis, commentary, final. Channel must be included for every message."
_TOOL_CHANNEL = "\nCalls to these tools must go to the commentary channel: 'functions'."
_INSTRUCTORS = ("system", "developer")


def render(conversation: Conversation) -> Prompt:
    """Return the prompt. A last assistant message without calls is left open for the model to continue."""
    messages = conversation.messages
    refuse_images(messages, "gpt-oss")
    names = Names(ToolSchemas(conversation.tools).names)
    prompt = PromptBuilder()
    _system(prompt, conversation)
    instructions = messages[0].content if messages and messages[0].role in _INSTRUCTORS else ""
    turns = messages[1:] if messages and messages[0].role in _INSTRUCTORS else messages
    _developer(prompt, instructions, conversation, names)
    prefill = turns[-1] if turns and turns[-1].role == "assistant" and not turns[-1].tool_calls else None
    _turns(prompt, turns[:-1] if prefill else turns, names)
    prompt.control("<|start|>assistant")
    opening, text = _opening(prefill) if prefill else ("", "")
    return prompt.control(opening).user(text).build(stop=STOP, suffix=opening + text)


def _system(prompt: PromptBuilder, conversation: Conversation) -> None:
    # A renderer has no clock, and a date that changes every day would cost every cached prefix.
    date = conversation.template_arguments.get("current_date")
    prompt.control(f"<|start|>system<|message|>{_IDENTITY}")
    if date:
        prompt.control("\nCurrent date: ").user(str(date))
    tools = _TOOL_CHANNEL if conversation.tools else ""
    prompt.control(f"\n\nReasoning: {effort(conversation.think)}\n\n{_CHANNELS}{tools}<|end|>")


def effort(think: Think) -> str:
    """Return the reasoning effort; the models always think, so "off" is as little as they can."""
    match think:
        case None | True:
            return "medium"
        case False | "none" | "minimal":
            return "low"
        case "low" | "medium" | "high":
            return think
        case "max" | "xhigh":
            return "high"
        case _:
            raise Unsupported(f"think: gpt-oss knows low, medium and high, not '{think}'")


def _developer(prompt: PromptBuilder, instructions: str, conversation: Conversation, names: Names) -> None:
    if not (instructions or conversation.tools):
        return
    prompt.control("<|start|>developer<|message|>")
    if instructions:
        prompt.control("# Instructions\n\n").user(instructions)
    if conversation.tools:
        prompt.control("\n\n" if instructions else "").control("# Tools\n\n## functions\n\n")
        prompt.user(namespace(conversation.tools, names))
    prompt.control("<|end|>")


def _turns(prompt: PromptBuilder, messages: Sequence[Message], names: Names) -> None:
    last_final = max((index for index, message in enumerate(messages) if _is_final(message)), default=-1)
    for index, message in enumerate(messages):
        match message.role:
            case "assistant":
                _assistant(prompt, message, names, with_thinking=index > last_final)
            case "tool":
                _tool(prompt, _answered(messages, index), message.content, names)
            case "system" | "developer":
                prompt.control("<|start|>developer<|message|># Instructions\n\n").user(message.content).control("<|end|>")
            case _:
                prompt.control("<|start|>user<|message|>").user(message.content).control("<|end|>")


def _is_final(message: Message) -> bool:
    return message.role == "assistant" and not message.tool_calls


def _assistant(prompt: PromptBuilder, message: Message, names: Names, *, with_thinking: bool) -> None:
    """Write an assistant's turn; thinking before a final answer is not shown again."""
    if message.thinking and with_thinking:
        prompt.control("<|start|>assistant<|channel|>analysis<|message|>").user(message.thinking).control("<|end|>")
    channel = "commentary" if message.tool_calls else "final"
    if message.content or not message.tool_calls:
        prompt.control(f"<|start|>assistant<|channel|>{channel}<|message|>").user(message.content).control("<|end|>")
    for call in message.tool_calls:
        prompt.control(f"<|start|>assistant to={names.recipient(call.name)}<|channel|>commentary <|constrain|>json<|message|>")
        prompt.user(dump_json(call.arguments)).control("<|call|>")


def _tool(prompt: PromptBuilder, name: str, text: str, names: Names) -> None:
    prompt.control(f"<|start|>{names.recipient(name)} to=assistant<|channel|>commentary<|message|>").user(text).control("<|end|>")


def _answered(messages: Sequence[Message], index: int) -> str:
    """Return the name of the tool that answered: as said, by the call's id, or by its place among the answers."""
    message = messages[index]
    if message.tool_name:
        return message.tool_name
    start = index
    while start and messages[start - 1].role == "tool":
        start -= 1
    calls = messages[start - 1].tool_calls if start else ()
    by_id = [call.name for call in calls if message.tool_call_id and call.id == message.tool_call_id]
    by_place = [call.name for call in calls[index - start : index - start + 1]]
    return next(iter(by_id + by_place), "unnamed")


def _opening(prefill: Message) -> tuple[str, str]:
    """Return the header and the text that the model goes on with."""
    if prefill.content or not prefill.thinking:
        return "<|channel|>final<|message|>", prefill.content
    return "<|channel|>analysis<|message|>", prefill.thinking
