"""The fixed texts of the reference template, byte for byte, in its two wordings."""

from __future__ import annotations

from dataclasses import dataclass

from corral.formats import HOW_TO_CALL_XML

DEFAULT_SYSTEM = "You are Qwen, a helpful AI assistant that can interact with a computer to solve tasks."


@dataclass(frozen=True, slots=True)
class Wording:
    """What stands before and after the list of tools."""

    before_tools: str
    after_tools: str


_BEFORE = "\n\n# Tools\n\nYou have access to the following {things}:\n\n"
_FIRST_RULE = "an inner <function=...></function> block must be nested within <tool_call></tool_call> XML tags"
_SECOND_RULE = "the tool calling block MUST begin with an opening <tool_call> tag and end with a closing </tool_call> tag."

FIRST = Wording(before_tools=_BEFORE.format(things="functions"), after_tools=HOW_TO_CALL_XML)
SECOND = Wording(
    before_tools=_BEFORE.format(things="tools"),
    after_tools=HOW_TO_CALL_XML.replace("to call a function ONLY", "to call a tool ONLY")
    .replace("This is the value for the second parameter\nthat can span\nmultiple lines", "value_2")
    .replace(_FIRST_RULE, _SECOND_RULE),
)
