"""The fixed texts of the reference template, byte for byte, in its two wordings."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_SYSTEM = "You are Qwen, a helpful AI assistant that can interact with a computer to solve tasks."


@dataclass(frozen=True, slots=True)
class Wording:
    """What stands before and after the list of tools."""

    before_tools: str
    after_tools: str


_BEFORE = "\n\n# Tools\n\nYou have access to the following {things}:\n\n"
_AFTER = """

If you choose to call a {thing} ONLY reply in the following format with NO suffix:

<tool_call>
<function=example_function_name>
<parameter=example_parameter_1>
value_1
</parameter>
<parameter=example_parameter_2>
{second_value}
</parameter>
</function>
</tool_call>

<IMPORTANT>
Reminder:
- Function calls MUST follow the specified format: {format_rule}
- Required parameters MUST be specified
- You may provide optional reasoning for your function call in natural language BEFORE the function call, but NOT after
- If there is no function call available, answer the question like normal with your current knowledge and do not tell the user about \
function calls
</IMPORTANT>"""

FIRST = Wording(
    before_tools=_BEFORE.format(things="functions"),
    after_tools=_AFTER.format(
        thing="function",
        second_value="This is the value for the second parameter\nthat can span\nmultiple lines",
        format_rule="an inner <function=...></function> block must be nested within <tool_call></tool_call> XML tags",
    ),
)
SECOND = Wording(
    before_tools=_BEFORE.format(things="tools"),
    after_tools=_AFTER.format(
        thing="tool",
        second_value="value_2",
        format_rule="the tool calling block MUST begin with an opening <tool_call> tag and end with a closing </tool_call> tag.",
    ),
)
