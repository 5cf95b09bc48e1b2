"""Render a conversation as MiniMax-M2's reference template does.

One difference: the reference drops system messages after the first without a word; here they are turns like the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, begins_run, dump_json, ends_run, function_of, refuse_images, split_prefill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt, ToolCall

_END = "[e~["
STOP = (_END,)

_DEFAULT_SYSTEM = "You are a helpful assistant."
_BEFORE_TOOLS = """\


# Tools
You may call one or more tools to assist with the user query.
Here are the tools available in JSONSchema format:

<tools>
"""
_AFTER_TOOLS = """\
</tools>

When making tool calls, use XML format to invoke tools and pass parameters:

<minimax:tool_call>
<invoke name="tool-name-1">
<parameter name="param-key-1">param-value-1</parameter>
<parameter name="param-key-2">param-value-2</parameter>
...
</invoke>
</minimax:tool_call>"""


def render(conversation: Conversation) -> Prompt:
    """Return the prompt. Thinking of turns before the last question is left out.

    A last assistant message without calls is left open for the model to continue.
    """
    refuse_images(conversation.messages, "MiniMax-M2")
    turns, prefill = split_prefill(conversation.messages)
    has_system = bool(turns) and turns[0].role == "system"
    prompt = PromptBuilder()
    _system(prompt, turns[0].content if has_system else "", conversation.tools)
    turns = turns[1:] if has_system else turns
    last_question = max((index for index, message in enumerate(turns) if message.role == "user"), default=-1)
    for index, message in enumerate(turns):
        match message.role:
            case "assistant":
                _said(prompt.control("]~b]ai\n"), message, shows_thinking=index > last_question)
                _calls(prompt, message)
                prompt.control(f"{_END}\n")
            case "tool":
                prompt.control("]~b]tool" if begins_run(turns, index) else "")
                prompt.control("\n<response>").user(message.content).control("</response>")
                prompt.control(f"{_END}\n" if ends_run(turns, index) else "")
            case "user" | "system":
                prompt.control(f"]~b]{message.role}\n").user(message.content).control(f"{_END}\n")
    prompt.control("]~b]ai\n").begin_answer()
    if prefill:
        _said(prompt, prefill, shows_thinking=True)
    else:
        prompt.control("<think>\n")
    return prompt.build(stop=STOP)


def _system(prompt: PromptBuilder, text: str, tools: Sequence[JsonObject]) -> None:
    prompt.control("]~!b[]~b]system\n").user(text or _DEFAULT_SYSTEM)
    if tools:
        prompt.control(_BEFORE_TOOLS)
        for tool in tools:
            prompt.control("<tool>").user(dump_json(function_of(tool))).control("</tool>\n")
        prompt.control(_AFTER_TOOLS)
    prompt.control(f"{_END}\n")


def _said(prompt: PromptBuilder, message: Message, *, shows_thinking: bool) -> None:
    thinking, content = _split(message)
    if thinking and shows_thinking:
        prompt.control("<think>\n").user(thinking).control("\n</think>\n\n")
    prompt.user(content)


def _calls(prompt: PromptBuilder, message: Message) -> None:
    if message.tool_calls:
        prompt.control("\n<minimax:tool_call>\n").user("".join(map(_call_text, message.tool_calls))).control("</minimax:tool_call>")


def _split(message: Message) -> tuple[str, str]:
    """Return a turn's thinking and content; no line breaks stand around thinking that a client left in the content."""
    first, tag, _ = message.content.partition("</think>")
    if message.thinking or not tag:
        return message.thinking, message.content
    return first.strip("\n").rpartition("<think>")[2].strip("\n"), message.content.rpartition("</think>")[2].strip("\n")


def _call_text(call: ToolCall) -> str:
    values = {key: value if isinstance(value, str) else dump_json(value) for key, value in call.arguments.items()}
    parameters = "".join(f'<parameter name="{key}">{value}</parameter>\n' for key, value in values.items())
    return f'<invoke name="{call.name}">\n{parameters}</invoke>\n'
