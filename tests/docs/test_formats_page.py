"""The example of docs/formats.md works as it stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from corral.conversation import Conversation, Message
from corral.events import ThinkingEnd

if TYPE_CHECKING:
    import pytest


def test_the_example_parses_renders_and_constrains(pytestconfig: pytest.Config) -> None:
    page = (pytestconfig.rootpath / "docs" / "formats.md").read_text(encoding="utf-8")
    names: dict = {}
    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    exec(compile(code, "docs/formats.md", "exec"), names)

    tools = ({"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": {"type": "integer"}}}}},)
    conversation = Conversation(messages=(Message(role="user", content="Hi"),), tools=tools, tool_choice="required")
    prompt = names["render"](conversation)
    parser = names["FORMAT"].parser(tools, prompt.suffix)
    events = parser.feed('<think>hm</think>\n<tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call>') + parser.finish("stop")

    assert prompt.text == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert ThinkingEnd("tag") in events
    assert names["fold"](events).tool_calls[0].arguments == {"a": 1}
    assert "tool_call" in parser.grammar(conversation).gbnf
