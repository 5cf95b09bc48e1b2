"""Write the ChatML turns that all layouts of this plugin share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corral.formats import dump_json

if TYPE_CHECKING:
    from corral.conversation import ToolCall
    from corral.formats import PromptBuilder

STOP = ("<|im_end|>", "<|endoftext|>")
END = "<|im_end|>\n"

#: Roles that are part of the format; any other role is a word of the client's.
_ROLES = frozenset({"system", "user", "assistant"})


def write_header(prompt: PromptBuilder, role: str) -> None:
    """Write the line that begins a turn."""
    prompt.control("<|im_start|>")
    (prompt.control if role in _ROLES else prompt.user)(role)
    prompt.control("\n")


def write_turn(prompt: PromptBuilder, role: str, text: str) -> None:
    """Write a whole turn."""
    write_header(prompt, role)
    prompt.user(text).control(END)


def write_call(prompt: PromptBuilder, call: ToolCall) -> None:
    """Write a call with its tags."""
    prompt.control('<tool_call>\n{"name": "').user(call.name)
    prompt.control('", "arguments": ').user(dump_json(call.arguments)).control("}\n</tool_call>")
