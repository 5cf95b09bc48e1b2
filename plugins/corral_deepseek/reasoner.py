"""Render a conversation as the reference template of R1's distillates does.

Differences: tools are shown, as llama.cpp shows them to R1; every run of calls and of results has its section, where the
reference has one in a conversation; and text next to calls stands before them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from corral.formats import PromptBuilder, function_of, refuse_images, split_prefill
from corral_deepseek.sections import EOS, write_beginning, write_calls, write_result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corral.conversation import Conversation, JsonObject, Message, Prompt

_BEFORE_TOOLS = "You can call any of the following function tools to satisfy the user's requests: "
_AFTER_TOOLS = """

Example function tool call syntax:

<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>example_function_name
```json
{
  "arg1": "some_value"
  ...
}
```
<｜tool▁call▁end｜><｜tool▁calls▁end｜>

"""


def render(conversation: Conversation, bos: str) -> Prompt:
    """Return the prompt. Thinking of earlier turns is left out; after a tool's result the model goes on without a new header.

    A last assistant message without calls is left open for the model to continue.
    """
    refuse_images(conversation.messages, "DeepSeek R1")
    messages, beginning = split_prefill(conversation.messages)
    prompt = PromptBuilder().control(bos)
    if conversation.tools:
        _tools(prompt, conversation.tools)
    prompt.user("\n\n".join(message.content for message in messages if message.role == "system"))
    turns = [message for message in messages if message.role in ("user", "assistant", "tool")]
    for index, message in enumerate(turns):
        if message.role == "user":
            prompt.control("<｜User｜>").user(message.content)
        elif message.role == "assistant":
            _assistant(prompt, message, is_answer=_follows_result(turns[:index]))
        else:
            write_result(prompt, turns, index)
    goes_on = _follows_result(turns)
    prompt.control("" if goes_on else "<｜Assistant｜>").begin_answer()
    if beginning:
        write_beginning(prompt, beginning)
    elif not goes_on:
        prompt.control("<think>\n").control("</think>" if conversation.think is False else "")
    return prompt.build(stop=(EOS,))


def _tools(prompt: PromptBuilder, tools: Sequence[JsonObject]) -> None:
    functions = [function_of(tool) for tool in tools]
    prompt.control(_BEFORE_TOOLS).user(json.dumps(functions, ensure_ascii=False, indent=2)).control(_AFTER_TOOLS)


def _assistant(prompt: PromptBuilder, message: Message, *, is_answer: bool) -> None:
    prompt.control("" if is_answer else "<｜Assistant｜>")
    prompt.user(message.content if is_answer else message.content.rpartition("</think>")[2])
    write_calls(prompt, message.tool_calls)
    prompt.control(EOS)


def _follows_result(turns: Sequence[Message]) -> bool:
    return bool(turns) and turns[-1].role == "tool"
