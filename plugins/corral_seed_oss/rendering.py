"""Render a conversation as Seed-OSS's reference template does.

One difference: the reference leaves an empty answer without an end; here every turn has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, refuse_images, split_prefill
from corral_seed_oss.tool_text import tool_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt, ToolCall

_BOS = "<seed:bos>"
_EOS = "<seed:eos>"
STOP = (_EOS,)

_DEFAULT_SYSTEM = "You are Doubao, a helpful AI assistant. You may call one or more functions to assist with the user query."
_AFTER_TOOLS = """
工具调用请遵循如下格式:
<seed:tool_call>
<function=example_function_name>
<parameter=example_parameter_1>value_1</parameter>
<parameter=example_parameter_2>This is the value for the second parameter
that can span
multiple lines</parameter>
</function>
</seed:tool_call>
"""
_NO_BUDGET = (
    "You are an intelligent assistant that can answer questions in one step without the need for reasoning and thinking, that is, your "
    "thinking budget is 0. Next, please skip the thinking process and directly start answering the user's questions."
)
_NO_THOUGHT = (
    "<seed:think>\n<seed:cot_budget_reflect>The current thinking budget is 0, so I will directly start answering the question."
    "</seed:cot_budget_reflect>\n</seed:think>"
)


def render(conversation: Conversation) -> Prompt:
    """Return the prompt. Not to think is a thinking budget of 0.

    A last assistant message without calls is left open for the model to continue.
    """
    refuse_images(conversation.messages, "Seed-OSS")
    turns, prefill = split_prefill(conversation.messages)
    system = turns[0].content if turns and turns[0].role == "system" else None
    prompt = PromptBuilder()
    _system(prompt, system, conversation.tools)
    if conversation.think is False:
        prompt.control(f"{_BOS}system\n{_NO_BUDGET}\n{_EOS}")
    for message in turns if system is None else turns[1:]:
        _turn(prompt, message)
    prompt.control(f"{_BOS}assistant")
    if prefill:
        _said(prompt.begin_answer(), prefill)
    else:
        prompt.control("\n").begin_answer().control(_NO_THOUGHT if conversation.think is False else "")
    return prompt.build(stop=STOP)


def _system(prompt: PromptBuilder, text: str | None, tools: Sequence[JsonObject]) -> None:
    if text is None and not tools:
        return
    prompt.control(f"{_BOS}system\n").user(_DEFAULT_SYSTEM if text is None else text)
    if tools:
        prompt.user("".join(map(tool_text, tools))).control(_AFTER_TOOLS)
    prompt.control(_EOS)


def _turn(prompt: PromptBuilder, message: Message) -> None:
    if message.role == "assistant":
        _assistant(prompt, message)
        return
    prompt.control(_BOS)
    (prompt.control if message.role in ("system", "user", "tool") else prompt.user)(message.role)
    prompt.control("\n").user(message.content).control(_EOS)


def _assistant(prompt: PromptBuilder, message: Message) -> None:
    _said(prompt.control(f"{_BOS}assistant"), message)
    prompt.control("\n" if message.tool_calls and message.content.strip() else "")
    for call in message.tool_calls:
        prompt.control("\n<seed:tool_call>\n").user(_call_text(call)).control("\n</seed:tool_call>")
    prompt.control(_EOS)


def _said(prompt: PromptBuilder, message: Message) -> None:
    thinking, content = message.thinking.strip(), message.content.strip()
    if thinking:
        prompt.control("\n<seed:think>").user(thinking).control("</seed:think>")
    if content:
        prompt.control("\n").user(content)


def _call_text(call: ToolCall) -> str:
    # Lists and objects too are written as Python prints them: so the models were shown their calls.
    parameters = "".join(f"<parameter={key}>{value}</parameter>\n" for key, value in call.arguments.items())
    return f"<function={call.name}>\n{parameters}</function>"
