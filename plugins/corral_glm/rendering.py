"""Render a conversation as GLM's reference templates do, in the layout of 4.6 or of 4.7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, begins_run, dump_json, refuse_images, split_prefill, split_thinking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt, ToolCall

#: A call ends with the header of its results, an answer with that of the next question.
STOP = ("<|user|>", "<|observation|>", "<|endoftext|>")

_BEFORE_TOOLS = """\
<|system|>
# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
"""
_AFTER_TOOLS = """\
</tools>

For each function call, output the function name and arguments within the following XML format:
<tool_call>{function-name}%(line)s<arg_key>{arg-key-1}</arg_key>%(line)s<arg_value>{arg-value-1}</arg_value>%(line)s\
<arg_key>{arg-key-2}</arg_key>%(line)s<arg_value>{arg-value-2}</arg_value>%(line)s...%(line)s</tool_call>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the versions differ: line breaks, and how the prompt says whether to think."""

    line: str
    no_thought: str
    ask_to_think: str
    #: What stands at the end of a user's turn when the model shall not think.
    user_switch: str


GLM_46 = Layout(line="\n", no_thought="\n<think></think>", ask_to_think="", user_switch="/nothink")
GLM_47 = Layout(line="", no_thought="</think>", ask_to_think="<think>", user_switch="")


def render(conversation: Conversation, layout: Layout) -> Prompt:
    """Return the prompt. Thinking of turns before the last question is left out.

    A last assistant message without calls is left open for the model to continue.
    """
    refuse_images(conversation.messages, "GLM")
    messages, prefill = split_prefill(conversation.messages)
    prompt = PromptBuilder().control("[gMASK]<sop>")
    if conversation.tools:
        _tools(prompt, conversation.tools, layout)
    last_question = max((index for index, message in enumerate(messages) if message.role == "user"), default=-1)
    keeps_thinking = layout is GLM_47 and conversation.template_arguments.get("clear_thinking") is False
    for index, message in enumerate(messages):
        match message.role:
            case "user":
                switch = layout.user_switch if conversation.think is False else ""
                prompt.control(f"<|user|>{layout.line}").user(message.content)
                prompt.control("" if message.content.endswith(layout.user_switch) else switch)
            case "assistant":
                _said(prompt.control("<|assistant|>"), message, layout, shows_thinking=keeps_thinking or index > last_question)
                for call in message.tool_calls:
                    _call(prompt, call, layout)
            case "tool":
                prompt.control("<|observation|>" if begins_run(messages, index) else "")
                prompt.control(f"{layout.line}<tool_response>{layout.line}").user(message.content)
                prompt.control(f"{layout.line}</tool_response>")
            case "system":
                prompt.control(f"<|system|>{layout.line}").user(message.content)
    prompt.control("<|assistant|>").begin_answer()
    if prefill:
        _said(prompt, prefill, layout, shows_thinking=True)
    else:
        prompt.control(layout.no_thought if conversation.think is False else layout.ask_to_think)
    return prompt.build(stop=STOP)


def _tools(prompt: PromptBuilder, tools: Sequence[JsonObject], layout: Layout) -> None:
    prompt.control(_BEFORE_TOOLS)
    for tool in tools:
        prompt.user(f"{dump_json(tool)}\n")
    prompt.control(_AFTER_TOOLS % {"line": layout.line})


def _said(prompt: PromptBuilder, message: Message, layout: Layout, *, shows_thinking: bool) -> None:
    thinking, content = split_thinking(message)
    if thinking and shows_thinking:
        prompt.control(f"{layout.line}<think>").user(thinking.strip()).control("</think>")
    else:
        prompt.control(layout.no_thought)
    if content.strip():
        prompt.control(layout.line).user(content.strip())


def _call(prompt: PromptBuilder, call: ToolCall, layout: Layout) -> None:
    line = layout.line
    prompt.control(f"{line}<tool_call>").user(call.name).control(line)
    for key, value in call.arguments.items():
        # These tags are tokens of the models' own.
        prompt.control("<arg_key>").user(key).control(f"</arg_key>{line}<arg_value>")
        prompt.user(value if isinstance(value, str) else dump_json(value)).control(f"</arg_value>{line}")
    prompt.control("</tool_call>")
