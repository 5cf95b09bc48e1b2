"""Render a conversation as Muse Glimmer's reference template does.

One difference: the reference drops text next to calls; here it is a message to the user before them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, dump_json, function_of, refuse_images, split_prefill
from corral_glimmer.wording import AFTER_FUNCTIONS, BEFORE_FUNCTIONS, BEFORE_NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, Json, Message, Prompt, ToolCall

_SYSTEM = "<|start|>system<|message|>"
_ASSISTANT = "<|start|>assistant"
#: What the model's own template takes for today, where nobody says what is known.
_CUTOFF = "2026-01-04"
_OPENING, _CLOSING = "<atem:function_calls>\n", "</atem:invoke>\n</atem:function_calls>"


def render(conversation: Conversation, bos: str) -> Prompt:
    """Return the prompt. Thinking of all turns is shown.

    A last assistant message without calls is left open for the model to continue.
    """
    refuse_images(conversation.messages, "Muse Glimmer, but in users' turns,", unless_from="user")
    turns, beginning = split_prefill(conversation.messages)
    prompt = PromptBuilder().control(bos)
    if not any(message.role == "system" for message in turns):
        _default_system(prompt, conversation)
    for index, message in enumerate(turns):
        match message.role:
            case "system":
                _system(prompt, message.content, conversation)
            case "user":
                _question(prompt, message)
            case "tool":
                _result(prompt, _name(message, turns), message.content)
            case "assistant":
                goes_on = index + 1 < len(turns) and turns[index + 1].role == "assistant"
                _assistant(prompt, message, "<|eom|>" if goes_on else "<|eot|>")
    prompt.control(_ASSISTANT).begin_answer()
    if beginning:
        _thought(prompt, beginning.thinking, before="", after=_ASSISTANT)
        prompt.control(" to=user<|message|>").user(beginning.content)
    return prompt.build(stop=("<|eot|>",))


def _default_system(prompt: PromptBuilder, conversation: Conversation) -> None:
    arguments = conversation.template_arguments
    prompt.control(f"{_SYSTEM}You are a helpful AI assistant.\nKnowledge cutoff: ")
    prompt.user(str(arguments.get("knowledge_cutoff") or _CUTOFF)).control(".")
    # A renderer has no clock, and a date that changes every day would cost every cached prefix.
    if date := arguments.get("current_date"):
        prompt.control("\nCurrent date: ").user(str(date)).control(".")
    _strength(prompt, conversation)
    _tools(prompt, conversation)


def _system(prompt: PromptBuilder, text: str, conversation: Conversation) -> None:
    for word in ("effort", "Effort"):
        text = text.replace(f"Reasoning {word}", f"Reasoning {'S' if word[0] == 'E' else 's'}trength")
    text = text.replace("reasoning effort", "reasoning strength").replace("REASONING EFFORT", "REASONING STRENGTH")
    prompt.control(_SYSTEM).user(text)
    if "reasoning strength" not in text.lower():
        _strength(prompt, conversation)
    _tools(prompt, conversation)


def _strength(prompt: PromptBuilder, conversation: Conversation) -> None:
    match conversation.think:
        case None | True:
            strength = "high"
        case False:
            strength = "none"
        case level:
            strength = level
    prompt.control("\n\nReasoning strength: ").user(strength).control(".")


def _tools(prompt: PromptBuilder, conversation: Conversation) -> None:
    """Write the tools, if there are any, and all to whom a message can go; end the system message."""
    functions = [function_of(tool) for tool in conversation.tools]
    spaces = list(dict.fromkeys(str(function.get("name", "")).partition(".")[0] for function in functions))
    if functions:
        prompt.control(f"\n\n{BEFORE_NAMESPACES}")
        for space in spaces:
            prompt.control('{"name": ').user(dump_json(space)).control(', "description": ""}\n')
        prompt.control(BEFORE_FUNCTIONS)
        for function in functions:
            shown = {"name": function.get("name"), "description": function.get("description"), "parameters": function.get("parameters")}
            prompt.control("\n").user(dump_json(shown))
        prompt.control(AFTER_FUNCTIONS)
    prompt.control('\n\n# Valid recipients: "self", ')
    for space in spaces:
        prompt.control('"').user(space).control('.*", ')
    prompt.control('"user".<|eot|>')


def _question(prompt: PromptBuilder, message: Message) -> None:
    prompt.control("<|start|>user<|message|>")
    for image in message.images:
        prompt.media("<|patch|>", image)
    prompt.user(message.content).control("<|eot|>")


def _name(result: Message, turns: Sequence[Message]) -> str:
    named = [call.name for turn in turns for call in turn.tool_calls if call.id and call.id == result.tool_call_id]
    return result.tool_name or (named[-1] if named else result.tool_call_id)


def _result(prompt: PromptBuilder, name: str, text: str) -> None:
    prompt.control("<|start|>tool ").user(name).control('<|message|><tool_output name="').user(name).control('">\n')
    prompt.user(text).control("\n</tool_output><|eot|>")


def _assistant(prompt: PromptBuilder, message: Message, end: str) -> None:
    _thought(prompt, message.thinking, before=_ASSISTANT, after="")
    if message.content or not message.tool_calls:
        prompt.control(f"{_ASSISTANT} to=user<|message|>").user(message.content).control("<|eom|>" if message.tool_calls else "<|eot|>")
    for index, call in enumerate(message.tool_calls):
        _call(prompt, call)
        prompt.control(end if index + 1 == len(message.tool_calls) else "<|eom|>")


def _thought(prompt: PromptBuilder, text: str, *, before: str, after: str) -> None:
    if text:
        prompt.control(f"{before} to=self<|message|>").user(text).control(f"<|eom|>{after}")


def _call(prompt: PromptBuilder, call: ToolCall) -> None:
    prompt.control(f"{_ASSISTANT} to=").user(call.name).control(f'<|message|>{_OPENING}<atem:invoke name="').user(call.name).control('">\n')
    for key, value in call.arguments.items():
        prompt.control('<atem:parameter name="').user(key).control('">').user(_text(value)).control("</atem:parameter>\n")
    prompt.control(_CLOSING)


def _text(value: Json) -> str:
    """Return a value as the template writes it: words as they are, numbers as Python prints them, everything else as JSON."""
    return str(value) if isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)) else dump_json(value)
